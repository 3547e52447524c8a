/// A lead as proposed by a form, a row of an import or a command: the first thing filters see. What a draft leaves out
/// stays as it is in a lead that is known already.
public struct LeadDraft: Draft {
    /// Names, companies and answers are no longer; the tables check it for some.
    static let textLengthMax = 500

    let layout: LeadLayout
    var values: [DatabaseValue]
    /// Purposes the person agreed to or refused just now: `newsletter: true`.
    public var consents: [String: Bool] = [:]
    /// The sentences they agreed to, by purpose.
    public var consentTexts: [String: String] = [:]
    /// What shows that the person agreed themselves; nil where somebody else says so, as an import does.
    public var proof: ConsentProof?
    /// Whether the address must be confirmed before any consent counts (double opt-in): it is `requested` until then.
    public var awaitsConfirmation = false
    /// Where the person came from this time.
    public var touch: Touch?
    /// The form or magnet that was filled in; nil for an import or a command without one.
    public var form: String?
    /// Which words of its page the person saw; nil for the plain ones.
    public var variant: String?
    /// Whether somebody of the house fills the form in for the person: what the form does not ask is kept then, and a
    /// consent that it does not ask is refused rather than left out.
    public var isByHouse = false
    /// What a filter tells somebody of the house who takes the lead in: whole sentences.
    public var notes: [String] = []

    /// Columns that the person was asked for beyond those of the form here, as by the form of an ad platform.
    public var asked: Set<String> = []

    init(_ layout: LeadLayout) {
        self.layout = layout
        values = [DatabaseValue](repeating: .null, count: layout.columns.count)
    }

    /// The value of a column of `leads`, the site's own among them. Unknown names read as NULL and take nothing.
    public subscript(_ column: String) -> DatabaseValue {
        get { layout.index(of: column).map { values[$0] } ?? .null }
        set { if let index = layout.index(of: column) { values[index] = newValue } }
    }

    /// Whether `leads` has a column of this name that a draft may carry.
    public func has(_ column: String) -> Bool { layout.index(of: column) != nil }

    /// The columns that have a value.
    public var givenColumns: [String] {
        zip(layout.columns, values).compactMap { $1.isNull ? nil : $0.name }
    }

    /// What the lead is known by, so that two drafts of one person are told to be: the address, or what stands for it.
    public var identity: String {
        [
            email?.lowercased(), String.fromDatabaseValue(values[layout.externalID]),
            String.fromDatabaseValue(values[layout.phone]),
        ]
        .compactMap { $0 }.first ?? ""
    }

    var isKnownByNumberAlone: Bool { values[layout.email].isNull && values[layout.externalID].isNull }

    public var email: String? {
        get { String.fromDatabaseValue(values[layout.email]) }
        set { values[layout.email] = newValue.databaseValue }
    }

    /// One attributed visit or submission.
    public struct Touch: Sendable, Hashable {
        public var kind: String
        public var channel: String?
        public var source: String?
        public var medium: String?
        public var campaign: String?
        /// The page before, without its parameters.
        public var referrer: String?
        /// The page the visitor came to, without its parameters.
        public var landingPage: String?
        public var click: Arrival.Click?

        public init(
            kind: String, channel: String? = nil, source: String? = nil, medium: String? = nil, campaign: String? = nil
        ) {
            self.kind = kind
            self.channel = channel
            self.source = source
            self.medium = medium
            self.campaign = campaign
        }
    }
}

/// Why a proposed value cannot be kept. The value itself is not repeated.
public struct FieldProblem: Error, Sendable, Hashable, CustomStringConvertible {
    public let field: String
    public let message: String
    /// The same for a visitor; nil where nobody but the house can come upon it.
    public var phrase: Phrase?

    public static func == (left: FieldProblem, right: FieldProblem) -> Bool {
        (left.field, left.message) == (right.field, right.message)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(field)
        hasher.combine(message)
    }

    public var description: String { "\(field): \(message)" }
}

extension LeadDraft {
    /// Reads the text of a form field into a column by its name. Empty text is no value.
    ///
    /// - Throws: ``FieldProblem`` saying what was expected.
    public mutating func set(_ name: String, text: String) throws {
        guard let index = layout.index(of: name) else {
            throw FieldProblem(field: name, message: "no such column.\(NearMiss.hint(name, among: layout.names))")
        }
        try set(index, text: text)
    }

    /// The same, with a number, a day or a time as it is written in the language of a form.
    ///
    /// - Throws: ``FieldProblem`` saying what was expected, with an example in that language; also of what can be read
    ///   in two ways.
    public mutating func set(_ name: String, text: String, written words: Words) throws {
        guard let index = layout.index(of: name) else { return try set(name, text: text) }
        let kind = layout.columns[index].kind
        if kind.isNumber { return try set(name, text: text, written: words.numbers) }
        guard kind.isDay else { return try set(index, text: text) }
        let dates = words.dates
        do {
            try set(index, text: dates.plain(text.trimmed))
        } catch var problem as FieldProblem {
            if let phrase = problem.phrase, let example = phrase.values["example"] {
                problem.phrase = Phrase(phrase.key, ["example": dates.text(example)])
            }
            throw problem
        }
    }

    /// The same, with a number as it is written in the language of a form.
    ///
    /// - Throws: ``FieldProblem`` saying what was expected, also of a number that can be read in two ways.
    public mutating func set(_ name: String, text: String, written numbers: NumberMarks) throws {
        guard let index = layout.index(of: name), layout.columns[index].kind.isNumber else {
            return try set(name, text: text)
        }
        do {
            try set(index, text: numbers.plain(text.trimmed))
        } catch is NumberMarks.Ambiguous {
            throw FieldProblem(
                field: name, message: "expected a number without a mark for thousands, such as 1234",
                phrase: Phrase("field_thousands"))
        }
    }

    /// Reads the text of a form field, a CSV cell or a command into a column. Empty text is no value.
    ///
    /// - Throws: ``FieldProblem`` saying what was expected.
    mutating func set(_ index: Int, text: String) throws {
        let column = layout.columns[index]
        let trimmed = text.trimmed
        guard !trimmed.isEmpty else { return }
        switch column.kind {
        case .email:
            do {
                values[index] = try EmailAddress(trimmed).address.databaseValue
            } catch {
                throw FieldProblem(field: column.name, message: "\(error)", phrase: error.phrase)
            }
        case .phone: values[index] = String(trimmed).databaseValue  // E.164 once the country is known: see normalise.
        case .country:
            guard let code = CountryCode(trimmed) else {
                throw FieldProblem(
                    field: column.name, message: "expected a country such as DE or Germany",
                    phrase: Phrase("field_country"))
            }
            values[index] = code.alpha2.databaseValue
        case .stage:
            guard layout.stages.contains(trimmed) else {
                throw FieldProblem(
                    field: column.name,
                    message: "expected a stage of the config.\(NearMiss.hint(trimmed, among: layout.stages))")
            }
            values[index] = trimmed.databaseValue
        case .field(let kind):
            guard column.oneOf.isEmpty || column.oneOf.contains(trimmed) else {
                let options = column.oneOf.sorted().joined(separator: ", ")
                throw FieldProblem(
                    field: column.name, message: "expected one of \(options)",
                    phrase: Phrase("field_one_of", ["options": options]))
            }
            values[index] = try FieldValue.read(trimmed, as: kind, field: column.name)
            if kind == .text, trimmed.utf8.count > LeadDraft.textLengthMax,
                trimmed.unicodeScalars.count > LeadDraft.textLengthMax
            {
                throw FieldProblem(
                    field: column.name, message: "at most \(LeadDraft.textLengthMax) characters",
                    phrase: Phrase("field_too_long", ["count": String(LeadDraft.textLengthMax)]))
            }
        }
    }

    /// Takes in a consent, or its refusal, that was written as yes or no.
    ///
    /// - Throws: ``FieldProblem`` for anything else: a word that is not understood must not take a consent away.
    public mutating func consent(to purpose: String, _ text: String, field: String) throws {
        guard let isGranted = FieldValue.flag(text.trimmed) else {
            throw FieldProblem(field: field, message: "expected yes or no")
        }
        guard !purpose.isEmpty else { throw FieldProblem(field: field, message: "names no purpose") }
        consents[purpose] = isGranted
    }

    /// Brings what depends on another column into its form: a phone number needs the country. Then says whether the
    /// lead can be known.
    ///
    /// - Throws: ``FieldProblem``.
    public mutating func normalise() throws {
        if case .string(let phone) = values[layout.phone].storage {
            let country =
                String.fromDatabaseValue(values[layout.country]).flatMap(CountryCode.init) ?? layout.defaultCountry
            guard let number = PhoneNumber(phone, country: country) else {
                throw FieldProblem(
                    field: "phone",
                    message: country == nil
                        ? "a number without + needs a country; give one, or set leads.default_country"
                        : "not a telephone number",
                    phrase: Phrase(country == nil ? "field_phone_country" : "field_phone"))
            }
            values[layout.phone] = number.e164.databaseValue
        }
        try requireName()
    }

    /// - Throws: ``FieldProblem`` where there is nothing to know the lead by.
    func requireName() throws {
        if values[layout.email].isNull, values[layout.phone].isNull, values[layout.externalID].isNull {
            throw FieldProblem(
                field: "email", message: "a lead needs an email, a phone or an external_id",
                phrase: Phrase("field_no_contact"))
        }
    }
}

/// Reads the text of a value by the kind of its column.
enum FieldValue {
    static func read(_ text: String, as kind: CustomField.Kind, field: String) throws -> DatabaseValue {
        switch kind {
        case .text:
            guard !text.utf8.contains(0) else { throw FieldProblem(field: field, message: "contains a NUL character") }
            return text.databaseValue
        case .integer:
            guard let value = Int64(text) ?? FieldValue.number(text).flatMap({ Int64(exactly: $0) }) else {
                throw FieldProblem(
                    field: field, message: "expected a whole number", phrase: Phrase("field_whole_number"))
            }
            return value.databaseValue
        case .real:
            guard let value = FieldValue.number(text) else {
                throw FieldProblem(field: field, message: "expected a number", phrase: Phrase("field_number"))
            }
            return value.databaseValue
        case .boolean:
            guard let value = FieldValue.flag(text) else {
                throw FieldProblem(field: field, message: "expected yes or no", phrase: Phrase("field_yes_or_no"))
            }
            return (value ? 1 : 0).databaseValue
        case .date:
            guard let date = Timestamp.date(text) else {
                throw FieldProblem(
                    field: field, message: "expected a day such as 2026-01-31",
                    phrase: Phrase("field_day", ["example": "2026-01-31"]))
            }
            return String(Timestamp.text(date).prefix(10)).databaseValue
        case .time:
            guard let date = Timestamp.date(text) else {
                throw FieldProblem(
                    field: field, message: "expected a time such as 2026-01-31 14:00",
                    phrase: Phrase("field_time", ["example": "2026-01-31 14:00"]))
            }
            return Timestamp.text(date).databaseValue
        }
    }

    /// A number as people write it: no hexadecimal, no infinity.
    private static func number(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }

    static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "yes", "true", "1", "on", "y": true
        case "no", "false", "0", "off", "n": false
        default: nil
        }
    }
}

extension String {
    /// Without white space at both ends; the same string where there is none.
    var trimmed: String {
        guard let first = utf8.first, let last = utf8.last, first <= 32 || last <= 32 || first >= 0x80 || last >= 0x80
        else { return self }
        return String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
