import ArgumentParser
import Foundation
import TrellisKernel

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Why: everything that happened to a lead, each thing below what caused it.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The lead: an id, an e-mail address, or external:ID.")
    var lead: String

    func run() throws {
        let kernel = try global.open(checks: false)
        let (id, events) = try kernel.read { db in
            let id = try LeadReference(lead).find(db)
            return (
                id,
                try Table(
                    columns: ["event_id", "at", "kind", "body", "origin", "cause_id"],
                    Row.fetchAll(
                        db,
                        sql:
                            "SELECT event_id, at, kind, body, origin, cause_id FROM lead_timeline WHERE lead_id = ? ORDER BY event_id",
                        arguments: [id]))
            )
        }
        if global.json {
            events.show(.json)
            return
        }
        let style = TextStyle(isColoured: Terminal.attached(to: STDOUT_FILENO).allowsColour)
        print(style.bold("Lead \(id)"))
        for line in try kernel.ask(LeadCard(leadID: id)).flatMap({ $0 }) { print("  \(line.label): \(line.text)") }
        print("")
        CauseTree(events).lines.forEach { print($0) }
    }
}

/// The events of a lead as a tree: an event stands below its cause; what had none, or one elsewhere, stands at the
/// left.
struct CauseTree {
    private let events: [Int64: [Cell]]
    private let children: [Int64: [Int64]]
    private let roots: [Int64]

    init(_ table: Table) {
        var events: [Int64: [Cell]] = [:]
        var children: [Int64: [Int64]] = [:]
        var roots: [Int64] = []
        let ids = table.rows.compactMap { row -> Int64? in if case .integer(let id) = row[0] { id } else { nil } }
        let known = Set(ids)
        for (id, row) in zip(ids, table.rows) {
            events[id] = row
            if case .integer(let cause) = row[5], known.contains(cause) {
                children[cause, default: []].append(id)
            } else {
                roots.append(id)
            }
        }
        self.events = events
        self.children = children
        self.roots = roots
    }

    var lines: [String] {
        roots.flatMap { lines($0, prefix: "", child: "") }
    }

    private func lines(_ id: Int64, prefix: String, child: String) -> [String] {
        let below = children[id] ?? []
        let own = prefix + text(id)
        return [own]
            + below.enumerated().flatMap { index, next in
                let isLast = index == below.count - 1
                return lines(next, prefix: child + (isLast ? "└─ " : "├─ "), child: child + (isLast ? "   " : "│  "))
            }
    }

    private func text(_ id: Int64) -> String {
        guard let row = events[id] else { return "" }
        let body = row[3].text ?? "{}"
        let at = (row[1].text ?? "").prefix(19)
        return "\(at)  \(row[2].text ?? "")\(body == "{}" ? "" : " " + body)  by \(row[4].text ?? "")  #\(id)"
    }
}
