import Foundation

/// A fact. It is stored in the log for ever, so its kind and its fields never change. It holds ids, stages and numbers:
/// never names, addresses or free text, so that a person can be erased and the log stays whole.
public protocol Event: Codable, Sendable {
    /// `lead.created`: a noun, a dot, a past participle.
    static var kind: String { get }
}

/// The fields of a kind of event, so that the config's SQL can name them and an activity can be checked.
public struct EventDeclaration: Sendable {
    public let kind: String
    public let fields: [Named<CustomField.Kind>]
    /// Whether `trellis record` and an import of activities may add it: true for the site's own activities.
    public let isActivity: Bool
    /// What it says of its lead, for `trellis trace`: see ``EventSentence``. Nil: the words of its kind.
    private(set) var says: String?

    /// The same in the words of another declaration, where this one has none.
    func saying(_ words: String?) -> EventDeclaration {
        var declaration = self
        declaration.says = says ?? words
        return declaration
    }

    public init(
        _ kind: String, _ fields: KeyValuePairs<String, CustomField.Kind> = [:], isActivity: Bool = false,
        says: String? = nil
    ) {
        self.kind = kind
        self.fields = fields.map { Named($0.key, $0.value) }
        self.isActivity = isActivity
        self.says = says
    }

    init(activity kind: String, fields: [Named<CustomField>]) {
        self.kind = kind
        self.fields = fields.map { Named($0.name, $0.value.kind, at: $0.place) }
        isActivity = true
        says = nil
    }
}

/// An event as it stands in the log.
public struct Recorded<E: Sendable>: Sendable {
    public let id: Int64
    public let leadID: Int64?
    public let causeID: Int64?
    /// How long the chain of causes is.
    public let depth: Int
    public let at: Date
    public let event: E
}

/// A batch of events: typed, and a relation. Inside the handler the temp view `batch` holds its rows
/// (`id, kind, lead_id, cause_id, depth, origin, at, body`), so that a plugin does its work in one
/// `INSERT … SELECT … FROM batch`.
public struct Batch {
    /// How many events it holds; at least one, unless it holds histories.
    public let count: Int
    /// The ids whose whole histories it holds, of leads or of nobody, where the log is read again lead by lead: see
    /// ``Rereading/byLead``. The next batch goes on with the next id.
    public internal(set) var histories: ClosedRange<Int64>?
    let db: Database

    /// The events of one kind, decoded now. Throws where a body does not fit the type: the kind's fields were changed.
    public func events<E: Event>(_: E.Type) throws -> [Recorded<E>] {
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT id, lead_id, cause_id, depth, at, body FROM batch WHERE kind = ? ORDER BY id"),
            arguments: [E.kind])
        var heads: [Recorded<Int>] = []
        // Events of one kind, and more so those of one import, say the same thing again and again.
        var bodies = Distinct()
        var (stamp, at) = ("", Date.distantPast)
        while let row = try rows.next() {
            let rowStamp: String = row[4]
            if rowStamp != stamp { (stamp, at) = (rowStamp, Timestamp.date(rowStamp) ?? .distantPast) }
            heads.append(
                Recorded(
                    id: row[0], leadID: row[1], causeID: row[2], depth: row[3], at: at,
                    event: bodies.place(of: row[5])))
        }
        let events = try Batch.decode(E.self, bodies.texts)
        return heads.map { head in
            Recorded(
                id: head.id, leadID: head.leadID, causeID: head.causeID, depth: head.depth, at: head.at,
                event: events[head.event])
        }
    }

    /// All as one array of JSON: a decoder per body costs several times the body.
    private static func decode<E: Event>(_: E.Type, _ bodies: [String]) throws -> [E] {
        try JSONDecoder().decode([E].self, from: Data("[\(bodies.joined(separator: ","))]".utf8))
    }

    /// Each text once, in the order they came.
    private struct Distinct {
        private(set) var texts: [String] = []
        private var places: [String: Int] = [:]

        mutating func place(of text: String) -> Int {
            if let place = places[text] { return place }
            places[text] = texts.count
            texts.append(text)
            return texts.count - 1
        }
    }
}
