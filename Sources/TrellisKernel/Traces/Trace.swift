import Foundation

/// Why something is so: what caused it, from the first event down, and what it caused in turn.
public struct Trace: Sendable {
    /// An event, or a row that an event caused.
    public struct Node: Sendable, Identifiable {
        /// `event:14`, `score:88`.
        public let id: String
        public let at: String
        /// In words.
        public let says: String
        /// The kind of an event; nil for a row.
        public let kind: String?
        /// Who did it; nil for a row.
        public let origin: String?
        public let leadID: Int64?
        /// The fields of an event as JSON.
        public let body: String
        /// The event that caused it, by the log.
        public let causeEventID: Int64?
        /// What it stands below: `event:14`; of an event that a message led to, that message.
        public internal(set) var causeID: String?
        /// The place in the log: a row stands behind the event that caused it.
        let order: Int64
    }

    /// All nodes, each with how deep it stands; a node comes after its cause.
    public private(set) var lines: [(node: Node, depth: Int)] = []
    /// What was asked about: nil for a lead.
    public let subject: String?
    /// The lead that all this is about; nil for an event about no lead.
    public let leadID: Int64?
    /// How many nodes a tree had beyond those that are kept.
    public private(set) var omitted = 0

    /// A tree that people read is no longer.
    public static let nodesMax = 2_000

    fileprivate init(subject: String?, leadID: Int64?, nodes: [Node]) {
        self.subject = subject
        self.leadID = leadID
        let known = Set(nodes.map(\.id))
        var children: [String: [Node]] = [:]
        var roots: [Node] = []
        for node in nodes.sorted(by: { ($0.order, $0.id) < ($1.order, $1.id) }) {
            if let cause = node.causeID, known.contains(cause), cause != node.id {
                children[cause, default: []].append(node)
            } else {
                roots.append(node)
            }
        }
        var waiting = roots.reversed().map { (node: $0, depth: 0) }
        while let next = waiting.popLast() {
            guard lines.count < Trace.nodesMax else {
                omitted = nodes.count - lines.count
                break
            }
            lines.append(next)
            // Taken out, so that rows that name each other as their cause stand here once.
            let below = children.removeValue(forKey: next.node.id) ?? []
            waiting += below.reversed().map { (node: $0, depth: next.depth + 1) }
        }
    }
}

extension Kernel {
    /// Traces a lead (an id, an address, `external:ID`), an event (`event:14`), or a row that one caused (`mail:17`,
    /// and what plugins add: `score:88`).
    ///
    /// - Throws: ``KernelError/noLead(_:)``, ``KernelError/usage(_:)`` with what can be traced, and
    ///   ``KernelError/data(_:)`` where there is no such row.
    public func trace(_ reference: String) throws -> Trace {
        try read { db in
            let reader = TraceReader(kernel: self, db: db)
            guard let subject = try reader.row(reference) else {
                let lead = try LeadReference(reference).find(db)
                return Trace(subject: nil, leadID: lead, nodes: try reader.story(of: lead))
            }
            return Trace(subject: subject.id, leadID: subject.leadID, nodes: try reader.around(subject))
        }
    }

    /// The nouns that may stand before an id.
    public var traceNouns: [String] { TraceSource.nouns(of: pluginTypes) }

    var traceSources: [TraceSource] { TraceSource.ofKernel + pluginTypes.flatMap { $0.traces } }
}

/// Reads events and what they caused.
private struct TraceReader {
    let kernel: Kernel
    let db: Database

    /// Effects on other leads than the one that is traced are looked for among so many events that come next.
    private static let otherLeadsWithin: Int64 = 100_000
    /// The log takes no chain of more than 16 causes; a row may stand between any two.
    private static let chainMax = 40

    private var sources: [TraceSource] {
        get throws { try kernel.traceSources.filter { try db.tableExists($0.table) } }
    }

    /// The row that `noun:id` names; nil where the reference is that of a lead.
    func row(_ reference: String) throws -> Trace.Node? {
        let parts = reference.trimmed.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !reference.contains("@"), parts[0] != "external" else { return nil }
        let noun = String(parts[0])
        guard kernel.traceNouns.contains(noun) else {
            let nouns = kernel.traceNouns.map { "\($0):ID" }.joined(separator: ", ")
            throw KernelError.usage(
                """
                '\(noun.prefix(40)):…' cannot be traced.\(NearMiss.hint(noun, among: kernel.traceNouns)) \
                Give a lead (an id, an address, external:ID), or one of \(nouns).
                """)
        }
        guard let id = Int64(parts[1]) else {
            throw KernelError.usage("\(noun): takes a number, as in \(noun):17, and not '\(parts[1].prefix(40))'.")
        }
        let node: Trace.Node? =
            if noun == "event" {
                try events("e.id = \(id)").first
            } else {
                try sources.filter { $0.noun == noun }.flatMap { try rows($0, "t.id = \(id)").nodes }.first
            }
        guard let node else { throw KernelError.data("There is no \(noun):\(id).") }
        return node
    }

    /// All that happened to a lead.
    func story(of lead: Int64) throws -> [Trace.Node] {
        try withRows(try events(timelineOf: lead), leads: [lead])
    }

    /// What led to a node and what it led to, with the node.
    func around(_ node: Trace.Node) throws -> [Trace.Node] {
        let near = try events("e.lead_id IS NOT \(node.leadID ?? 0) AND e.cause_id IS NOT NULL AND \(nearby(node))")
        let leads = node.leadID.map { [$0] } ?? []
        let all = try withRows(leads.flatMap(events(timelineOf:)) + near, leads: leads)
        let known = Dictionary(all.map { ($0.id, $0) }) { first, _ in first }
        return try causes(of: known[node.id] ?? node, known)
            + effects(of: node, Dictionary(grouping: all) { $0.causeID })
    }

    /// The chain from the first cause down to a node.
    private func causes(of node: Trace.Node, _ known: [String: Trace.Node]) throws -> [Trace.Node] {
        var chain = [node]
        while chain.count <= TraceReader.chainMax, let cause = chain.last?.causeID {
            let event = Int64(cause.dropFirst("event:".count))
            guard let next = try known[cause] ?? event.flatMap({ try events("e.id = \($0)").first }) else { break }
            chain.append(next)
        }
        return chain
    }

    private func effects(of node: Trace.Node, _ children: [String?: [Trace.Node]]) -> [Trace.Node] {
        var (found, waiting, reached) = ([Trace.Node](), [node.id], Set([node.id]))
        while let next = waiting.popLast() {
            for child in children[next] ?? [] where reached.insert(child.id).inserted {
                found.append(child)
                waiting.append(child.id)
            }
        }
        return found
    }

    private func nearby(_ node: Trace.Node) -> String {
        "e.id > \(node.order) AND e.id <= \(node.order + TraceReader.otherLeadsWithin)"
    }

    // MARK: - Reading

    private func events(timelineOf lead: Int64) throws -> [Trace.Node] {
        try events(
            "e.lead_id IN (SELECT \(lead) UNION ALL SELECT gone_id FROM lead_merges WHERE kept_id = \(lead))")
    }

    private func events(_ condition: String) throws -> [Trace.Node] {
        try Row.fetchAll(
            db,
            sql:
                "SELECT e.id, e.kind, e.lead_id, e.cause_id, e.origin, e.at, e.body FROM events AS e WHERE \(condition) ORDER BY e.id"
        ).map { row in
            let (id, kind, body): (Int64, String, String) = (row["id"], row["kind"], row["body"])
            return Trace.Node(
                id: "event:\(id)", at: row["at"], says: kernel.sentence(of: kind, body: body), kind: kind,
                origin: row["origin"], leadID: row["lead_id"], body: body,
                causeEventID: row["cause_id"], causeID: (row["cause_id"] as Int64?).map { "event:\($0)" }, order: id)
        }
    }

    private func rows(_ source: TraceSource, _ condition: String) throws -> (nodes: [Trace.Node], led: [String: String])
    {
        var (nodes, led) = ([Trace.Node](), [String: String]())
        for row in try Row.fetchAll(db, sql: source.select(where: condition) + " ORDER BY t.id") {
            let (id, cause): (Int64, Int64?) = (row["id"], row["cause_id"])
            let name = "\(source.noun):\(id)"
            nodes.append(
                Trace.Node(
                    id: name, at: row["at"], says: row["says"], kind: nil, origin: nil, leadID: row["lead_id"],
                    body: "{}", causeEventID: cause, causeID: cause.map { "event:\($0)" }, order: cause ?? 0))
            let events = (row["events"] as String?).flatMap { JSONValue(parsing: $0) }?.elements ?? []
            for event in events.compactMap(\.scalarText) { led["event:\(event)"] = name }
        }
        return (nodes, led)
    }

    /// The events with the rows of these leads; events that a row led to stand below it.
    private func withRows(_ events: [Trace.Node], leads: [Int64]) throws -> [Trace.Node] {
        guard !leads.isEmpty else { return events }
        let list = leads.map(String.init).joined(separator: ", ")
        var (nodes, led) = ([Trace.Node](), [String: String]())
        for source in try sources {
            let found = try rows(source, "t.lead_id IN (\(list))")
            nodes += found.nodes
            led.merge(found.led) { first, _ in first }
        }
        return events.map { event in
            var event = event
            if let row = led[event.id] { event.causeID = row }
            return event
        } + nodes
    }
}
