import ArgumentParser
import Foundation
import TrellisKernel

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Why: what happened to a lead, or what led to one row and came of it, each thing below its cause.",
        discussion:
            "trellis trace ann@acme.example\ntrellis trace mail:17\ntrellis trace handoff:3\ntrellis trace event:1234\n\nRows: "
            + TraceSource.nouns(of: TrellisProgram.plugins).map { "\($0):ID" }.joined(separator: ", ") + ".")

    @OptionGroup var global: GlobalOptions
    @Argument(
        help: "A lead (an id, an e-mail address, external:ID), or a row: event:ID, mail:ID and the others below.")
    var subject: String

    func run() throws {
        let kernel = try global.open(checks: false)
        let trace = try kernel.trace(subject)
        if global.json {
            CauseTree(trace).table.show(.json)
            return
        }
        let style = TextStyle(isColoured: Terminal.attached(to: STDOUT_FILENO).allowsColour)
        for line in try TraceCommand.lines(trace, kernel, style) { print(line) }
        if trace.omitted > 0 { TrellisProgram.note("\(trace.omitted) more are not shown.") }
    }

    /// Whom it is about, what plugins know of them, and the tree.
    static func lines(_ trace: Trace, _ kernel: Kernel, _ style: TextStyle) throws -> [String] {
        guard let lead = trace.leadID else { return [style.dim("Times are UTC."), ""] + CauseTree(trace).lines }
        var lines = [style.bold(try heading(lead, kernel)) + style.dim("  (times are UTC)")]
        if trace.subject == nil {
            lines += try kernel.ask(LeadCard(leadID: lead)).flatMap { $0 }.map { "  \($0.label): \($0.text)" }
        }
        return lines + [""] + CauseTree(trace).lines
    }

    /// `Lead 52: Ann Ash, Acme, ann@acme.example, mql`; the number alone of one that is gone.
    private static func heading(_ lead: Int64, _ kernel: Kernel) throws -> String {
        let row = try kernel.read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '') AS name, company, email, stage
                    FROM leads WHERE id = ?
                    """, arguments: [lead])
        }
        let words = (row.map { [$0["name"], $0["company"], $0["email"], $0["stage"]] } ?? [] as [String?])
            .compactMap { $0?.withVisibleControls }
        return "Lead \(lead)" + (words.isEmpty ? "" : ": " + words.joined(separator: ", "))
    }
}

/// A trace as a drawing of lines: each node below its cause; what had none, or one elsewhere, stands at the left.
struct CauseTree {
    private let trace: Trace

    init(_ trace: Trace) {
        self.trace = trace
    }

    /// The nodes as rows, an event with all that the log has of it.
    var table: Table {
        Table(
            columns: ["event_id", "at", "kind", "body", "origin", "cause_id", "row", "depth", "says"],
            rows: trace.lines.map { node, depth in
                [
                    node.eventID.map(Cell.integer) ?? .null, .text(node.at), node.kind.map(Cell.text) ?? .null,
                    .text(node.body),
                    node.origin.map(Cell.text) ?? .null, node.causeEventID.map(Cell.integer) ?? .null, .text(node.id),
                    .integer(Int64(depth)), .text(node.says),
                ]
            })
    }

    var lines: [String] {
        // Whether more stands at each depth below a line, found from the end.
        var (drawn, isOpen) = ([String](), [Bool]())
        for (node, depth) in trace.lines.reversed() {
            while isOpen.count <= depth { isOpen.append(false) }
            isOpen.removeLast(isOpen.count - depth - 1)
            let bars = depth == 0 ? "" : (1..<depth).map { isOpen[$0] ? "│  " : "   " }.joined()
            let branch = depth == 0 ? "" : isOpen[depth] ? "├─ " : "└─ "
            drawn.append(bars + branch + text(node))
            isOpen[depth] = true
        }
        return drawn.reversed()
    }

    private func text(_ node: Trace.Node) -> String {
        let mark = node.id == trace.subject ? "  ◀" : ""
        let who = node.kind.map { "\($0) #\(node.eventID ?? 0) by \(node.origin ?? "")" } ?? node.id
        return "\(node.at.prefix(19))  \(node.says)  (\(who))\(mark)"
    }
}

extension Trace.Node {
    /// The number of an event; nil for a row.
    fileprivate var eventID: Int64? { kind == nil ? nil : Int64(id.dropFirst("event:".count)) }
}
