import ArgumentParser
import Foundation
import TrellisKernel

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "The CRM on one page: leads by stage, the best of them with reasons, mails, handoffs, audiences.")

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let kernel = try global.open(checks: false)
        let style = TextStyle(isColoured: Terminal.attached(to: STDOUT_FILENO).allowsColour)
        var sections = [
            ReportSection(
                "Leads by stage",
                try kernel.read { db in
                    Table(
                        columns: ["stage", "leads"],
                        try Row.fetchAll(db, sql: "SELECT stage, leads FROM funnel WHERE leads > 0 OR position < 7"))
                })
        ]
        sections += try kernel.ask(Report()).flatMap { $0 }
        sections.append(
            ReportSection(
                "Mails",
                try kernel.read { db in
                    Table(
                        columns: ["mail", "state", "count", "reason"],
                        try Row.fetchAll(
                            db,
                            sql:
                                "SELECT template, state, count(*), max(reason) FROM outbox_messages GROUP BY 1, 2 ORDER BY 1, 2"
                        ))
                }))
        for section in sections {
            print("\n\(style.bold(section.title))")
            section.table.show(global.format)
        }
    }
}
