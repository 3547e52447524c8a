import CTrellisSQLite
import Foundation

/// What a plugin may ask about the whole config before anything runs: the real schema, the kinds of event, the mails.
/// What it finds wrong is collected with its place.
public final class ConfigCheck {
    public let config: Config
    /// Every kind of event there can be.
    public let kinds: [String: EventDeclaration]
    /// By which what the config says of moments is past or to come.
    public let clock: KernelClock
    let templates: MailTemplates
    /// All plugins the program has.
    let types: [any Plugin.Type]
    /// Those that are off and have tables all the same, with these: read from their migrations once, where SQL asks.
    lazy var paused = types.filter { config.hasTables($0.name) && !config.isOn($0.name) }.map {
        (name: $0.name, relations: $0.relations)
    }
    private let names: NameRegister
    /// The section that is checked now.
    fileprivate(set) var section = Place(file: "")
    var lists = Lists()
    /// Variables that only some mails know, with what is to be said of them in another.
    var knownElsewhere: [String: String] = [:]
    let db: Database
    public fileprivate(set) var problems: [ConfigProblem] = []
    /// What works, and is worth knowing.
    public private(set) var notes: [ConfigProblem] = []
    /// The mails that the config names, with their places.
    public private(set) var mails: [LocatedText] = []

    init(
        config: Config, kinds: [String: EventDeclaration], templates: MailTemplates, types: [any Plugin.Type],
        db: Database, clock: KernelClock
    ) {
        (self.config, self.clock) = (config, clock)
        self.kinds = kinds
        self.templates = templates
        self.types = types
        names = NameRegister(types, config)
        self.db = db
    }

    public func problem(_ message: String, at place: Place) {
        problems.append(ConfigProblem(message, at: place))
    }

    /// Says what works, and what of it is worth knowing: `trellis check` prints it.
    public func note(_ message: String, at place: Place) {
        notes.append(ConfigProblem(message, at: place))
    }

    /// Asks the schema itself, such as how a SELECT of the config would run. The tables are empty.
    public func read<T>(_ body: (Database) throws -> T) throws -> T { try body(db) }

    /// A SQL expression over the columns of `leads`.
    ///
    /// - Parameter names: what else it may name; where `leads` has a column of that name, the column is meant.
    public func leadPredicate(_ sql: LocatedText, beside names: [String] = []) {
        let select = "SELECT 1 FROM leads WHERE (\(sql.value)\n)"
        guard !names.isEmpty else {
            prepare(select, for: sql)
            return
        }
        let others = names.map { "NULL AS \($0)" }.joined(separator: ", ")
        prepare("SELECT (\(select)) FROM (SELECT \(others))", for: sql)
    }

    /// A SQL expression over the fields of a kind of event and the columns of its lead.
    public func eventPredicate(_ sql: LocatedText, kind: String) {
        guard let declaration = kinds[kind] else { return }
        prepare(
            "SELECT 1 FROM \(EventRelation(declaration).sql(from: "events")) WHERE (\(sql.value)\n)", for: sql,
            known: declaration.fields.map(\.name))
    }

    /// A SQL expression over the columns of `mail_hit_signs`.
    public func hitPredicate(_ sql: LocatedText) {
        prepare("SELECT 1 FROM mail_hit_signs WHERE (\(sql.value)\n)", for: sql)
    }

    /// One SELECT; `column` must be among its columns where one is named.
    public func select(_ sql: LocatedText, column: String? = nil) {
        guard let statement = prepare(sql.value, for: sql) else { return }
        if let column, !statement.columnNames.contains(column) {
            problem(
                "the SELECT must have a column '\(column)'; it has \(statement.columnNames.joined(separator: ", ")).",
                at: sql.place)
        }
    }

    public func kind(_ kind: LocatedText) {
        guard kinds[kind.value] == nil else { return }
        problem(
            "there is no event '\(kind.value)'.\(NearMiss.hint(kind.value, among: kinds.keys)) Activities of your own stand under activities:.",
            at: kind.place)
    }

    public func stage(_ stage: LocatedText) {
        let stages = config.site.leads.allStages
        guard !stages.contains(stage.value) else { return }
        problem(
            "there is no stage '\(stage.value)'.\(NearMiss.hint(stage.value, among: stages)) There are: \(stages.joined(separator: ", ")).",
            at: stage.place)
    }

    /// A name that the section of another plugin defines, by its noun: `name(recycle.into, of: "sequence")`.
    /// It may be anything where no plugin of the program defines such names.
    public func name(_ name: LocatedText, of noun: String) {
        if let problem = names.problem(with: name.value, of: noun) { self.problem(problem, at: name.place) }
    }

    /// A mail that the plugin brings and sends by itself, so that `trellis mails` says who uses it.
    public func ownMail(_ name: String) {
        mails.append(Located(name, at: section))
    }

    /// A mail that exists, reads, and names no variable that nobody fills; and so do its variants.
    ///
    /// - Parameter language: what a built-in one is written in; without it that of the site.
    public func mail(_ name: LocatedText, values: Set<String> = [], in language: String? = nil) {
        mails.append(name)
        do {
            let spoken = language.map { [MailValues.language: $0] } ?? [:]
            guard let template = try templates.named(name.value, values: spoken) else {
                problem(
                    "there is no mail '\(name.value)'.\(NearMiss.hint(name.value, among: templates.names)) Write \(config.site.mail.templates)/\(name.value).md.",
                    at: name.place)
                return
            }
            if template.purpose == .marketing { sender(of: name) }
            let known = try Set(LoggedTable.leads.columns(db).map(\.name)).union(MailValues.always).union(values)
            variables(of: template, called: name.value, known: known, at: name.place)
            for file in templates.files where file.name == name.value && !file.conditions.isEmpty {
                try variant(file, of: template, known: known, at: name.place)
            }
        } catch {
            problem("\(error)", at: name.place)
        }
    }

    /// What every marketing mail needs, said once.
    private func sender(of mail: LocatedText) {
        for (value, key, example) in [
            (config.site.site.postalAddress, "site.postal_address", "Acme Ltd, 1 Main Street, 12345 Springfield"),
            (config.site.mail.from, "mail.from", "Acme <hello@acme.example>"),
        ] where value == nil && !problems.contains(where: { $0.place.path == key }) {
            problem(
                "the marketing mail '\(mail.value)' needs one, and would be held without it. Add it, such as \(example).",
                at: Place(file: config.file, path: key))
        }
    }

    /// A webhook of the config.
    public func webhook(_ name: LocatedText) {
        let names = config.site.webhooks.map(\.name)
        guard !names.contains(name.value) else { return }
        problem(
            "there is no webhook '\(name.value)' under webhooks:.\(NearMiss.hint(name.value, among: names))",
            at: name.place)
    }

    /// A line of text that is filled in for a lead: it reads, and names no variable that is no column.
    public func line(_ text: LocatedText) {
        do {
            let known = try Set(LoggedTable.leads.columns(db).map(\.name))
            for variable in try LineTemplate(text.value).variables.subtracting(known).sorted() {
                problem("unknown variable {{\(variable)}}.\(NearMiss.hint(variable, among: known))", at: text.place)
            }
        } catch {
            problem("\(error)", at: text.place)
        }
    }

    /// A variant is for leads there can be, and of the purpose of its mail.
    private func variant(_ file: MailTemplates.File, of mail: MailTemplate, known: Set<String>, at place: Place) throws
    {
        let shown = templates.display(file.file)
        for condition in file.conditions {
            if condition.column == "stage" {
                stage(Located(condition.value, at: Place(file: shown, path: "stage")))
            } else {
                leadColumn(Located(condition.column, at: Place(file: shown, path: "variant")))
            }
        }
        guard let template = try templates.template(file) else { return }
        variables(of: template, called: file.stem, known: known, at: place)
        if template.list != mail.list {
            problem(
                "\(shown) says list: \(template.list ?? "nothing"), and the mail it is a variant of \(mail.list ?? "nothing"). Give both the same list.",
                at: place)
        }
        if template.purpose != mail.purpose {
            problem(
                "\(shown) is \(template.purpose.rawValue), and the mail it is a variant of is \(mail.purpose.rawValue). Give both the same purpose.",
                at: place)
        }
    }

    /// The folder of mails as a whole: a layout that reads, no mail twice, no variant of nothing.
    fileprivate func mailFolder() {
        if config.site.mail.transport == "smtp", ["localhost", "127.0.0.1", "::1"].contains(config.site.site.baseHost) {
            note(
                "mails leave the house, and their links lead nowhere: site.base_url is \(config.site.site.baseURL). Write the address that people reach.",
                at: Place(file: config.file, path: "site.base_url"))
        }
        let place = Place(file: config.file, path: "mail.templates")
        do {
            _ = try templates.layout()
        } catch {
            problem("\(error)", at: place)
        }
        var seen: [String: String] = [:]
        for file in templates.files {
            let shown = templates.display(file.file)
            if let other = seen.updateValue(shown, forKey: file.stem) {
                problem("\(other) and \(shown) are the same mail. Keep one.", at: place)
            }
            if !templates.names.contains(file.name) {
                problem(
                    "\(shown) is a variant of '\(file.name)', which is not there.\(NearMiss.hint(file.name, among: templates.names))",
                    at: place)
            }
        }
    }

    /// A column of `leads`.
    public func leadColumn(_ name: LocatedText) {
        let names = (try? LoggedTable.leads.columns(db).map(\.name)) ?? []
        guard !names.contains(name.value) else { return }
        problem("leads has no column '\(name.value)'.\(NearMiss.hint(name.value, among: names))", at: name.place)
    }

    @discardableResult
    private func prepare(_ sql: String, for written: LocatedText, known: [String] = []) -> Statement? {
        do {
            let statement = try db.makeStatement(sql: sql)
            guard statement.isReadonly else {
                problem("only reads are allowed here.", at: written.place)
                return nil
            }
            notePaused(in: written)
            return statement
        } catch let error as DatabaseError {
            let place = place(of: error, in: sql, written)
            let columns = known + ((try? LoggedTable.leads.columns(db).map(\.name)) ?? [])
            let sentence = ConfigCheck.sentence(error, columns: columns)
            problem(sentence + advice(onMissing: sentence), at: place)
        } catch {
            problem("\(error)", at: written.place)
        }
        return nil
    }

    /// Where SQLite stopped reading (https://www.sqlite.org/c3ref/errcode.html), within what is written in the config.
    /// Of a table that is not there it tells the name alone.
    private func place(of error: DatabaseError, in sql: String, _ written: LocatedText) -> Place {
        guard let text = sql.range(of: written.value) else { return written.place }
        var offset = db.sqliteConnection.map { Int(sqlite3_error_offset($0)) } ?? -1
        if offset >= 0 {
            offset -= sql.utf8.distance(from: sql.startIndex, to: text.lowerBound)
        } else if let name = error.message?.split(separator: ": ").last,
            let found = written.value.range(of: String(name))
        {
            offset = written.value.utf8.distance(from: written.value.startIndex, to: found.lowerBound)
        }
        return written.place.of(byte: offset, in: written.value)
    }

    /// `no such column: titel. Did you mean 'title'?`
    private static func sentence(_ error: DatabaseError, columns: [String]) -> String {
        let message = error.message ?? "not valid SQL"
        if let range = message.range(of: "ambiguous column name: ") {
            let name = message[range.upperBound...]
            return "SQL: \(message). Write event.\(name) or leads.\(name)."
        }
        if message.hasPrefix("Multiple statements") {
            return "one statement is needed here. Leave out the ';' and what follows it."
        }
        guard let range = message.range(of: "no such column: ") else { return "SQL: \(message)." }
        let name = String(message[range.upperBound...])
        let hint = NearMiss.hint(name, among: columns)
        return "SQL: \(message).\(hint.isEmpty ? " A text stands in single quotes: \(name.sqlLiteral)." : hint)"
    }
}

/// A kind of event as a relation: its fields as columns beside those of the lead. Where a field has the name of a
/// column of the lead, one says which is meant: `event.NAME` or `leads.NAME`.
public struct EventRelation: Sendable {
    private let declaration: EventDeclaration

    public init(_ declaration: EventDeclaration) {
        self.declaration = declaration
    }

    /// `(SELECT …) AS event JOIN leads ON …`, to stand after FROM. The event's own columns are `event_id`,
    /// `event_lead_id`, `event_at`. What happened to a lead that was merged since happened to the one that was kept:
    /// the log is not rewritten, and a replay would otherwise find nobody.
    ///
    /// - Parameter source: `batch` or `events`, or a query in parentheses with their columns.
    public func sql(from source: String) -> String {
        let fields = declaration.fields.map { ", json_extract(body, '$.\"\($0.name)\"') AS \"\($0.name)\"" }.joined()
        return """
            (SELECT id AS event_id, coalesce((SELECT kept_id FROM lead_merges WHERE gone_id = lead_id), lead_id) AS event_lead_id,
                    at AS event_at\(fields)
             FROM \(source) WHERE kind = '\(declaration.kind)') AS event
            JOIN leads ON leads.id = event.event_lead_id
            """
    }
}

extension Config {
    /// Checks the whole config against the schema it makes: in memory, so that nothing is touched.
    ///
    /// - Returns: what works, and is worth knowing.
    /// - Throws: ``ConfigProblems`` with all that is wrong.
    @discardableResult
    public func check(plugins types: [any Plugin.Type], clock: KernelClock = .system) throws -> [ConfigProblem] {
        let check = try examined(plugins: types, clock)
        guard check.problems.isEmpty else { throw ConfigProblems(check.problems) }
        return check.notes
    }

    /// The mails that the config names, each as often as it does.
    func mailUses(plugins types: [any Plugin.Type]) throws -> [LocatedText] {
        try examined(plugins: types).mails
    }

    private func examined(plugins types: [any Plugin.Type], _ clock: KernelClock = .system) throws -> ConfigCheck {
        let queue = try DatabaseQueue()
        let made = try SchemaKeeper(config: self, types: types, path: "the config").apply(
            to: queue, now: Date(timeIntervalSince1970: 0), leavesOutClashes: true)
        let kinds = Kernel.kinds(of: types, self)
        let templates = MailTemplates(config: self, builtIn: Kernel.builtInMails(of: types, self))
        return try queue.read { db in
            let check = ConfigCheck(
                config: self, kinds: kinds, templates: templates, types: types, db: db, clock: clock)
            check.problems = made.clashes
            for type in types { check.knownElsewhere.merge(type.mailVariables) { first, _ in first } }
            check.activities()
            for query in site.queries { check.namedQuery(query) }
            try check.hooks(of: types)
            try check.hiddenNames(of: types)
            check.cardColumns(of: types)
            for rule in site.mail.machineHits { check.hitPredicate(rule.value) }
            check.mailFolder()
            check.adminProxy()
            check.words()
            for type in types { try type.checkSection(of: self, check) }
            check.compareLists()
            return check
        }
    }
}

extension Plugin {
    /// Checks the plugin's section, also while it is switched off, so that switching it on holds no surprise.
    fileprivate static func checkSection(of config: Config, _ check: ConfigCheck) throws {
        guard let loaded = config.plugins[name], let settings = loaded.settings as? Settings else { return }
        check.section = Place(
            file: loaded.place.file, line: loaded.place.line, column: loaded.place.column, path: "plugins.\(name)")
        let plugin = Self(settings: settings)
        check.lists.asked.formUnion(plugin.consentTexts.keys)
        try plugin.check(check)
    }
}

extension ConfigCheck {
    fileprivate func namedQuery(_ query: Named<NamedQuery>) {
        guard let statement = prepare(query.value.sql.value, for: query.value.sql) else { return }
        if query.value.isChart, statement.columnNames.count != 2 {
            problem(
                "a chart takes a query of two columns, a label and a number; this one has \(statement.columnNames.count).",
                at: query.value.sql.place)
        }
        let declared = Set(query.value.parameters.map(\.name))
        let used = Set(SQLText.parameters(of: statement.sqliteStatement))
        for name in used.subtracting(declared).sorted() {
            problem("the query uses :\(name), which parameters: does not declare.", at: query.value.sql.place)
        }
        for parameter in query.value.parameters where !used.contains(parameter.name) {
            problem(
                "the parameter '\(parameter.name)' is not used by the query as :\(parameter.name).", at: parameter.place
            )
        }
    }
}
