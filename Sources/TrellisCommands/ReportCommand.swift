import ArgumentParser
import Foundation
import TrellisKernel
import TrellisServer

extension PeriodReport.Period: ExpressibleByArgument {}

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "The CRM on one page: leads by stage, the best of them with reasons, mails, handoffs, audiences.",
        discussion: """
            With weekly or monthly: the last whole week or month against the one before, for whoever answers for it.
            --html FILE writes it as a page that can be read, mailed and printed.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("weekly or monthly.", valueName: "period"))
    var period: PeriodReport.Period?
    @Option(help: "Write a page instead of printing.")
    var html: String?
    @Flag(help: "Print the SQL behind each table.")
    var sql = false

    func validate() throws {
        if period == nil, html != nil || sql {
            throw ValidationError("--html and --sql belong to a period: trellis report monthly --html report.html")
        }
    }

    func run() throws {
        let kernel = try global.open(checks: false)
        guard let period else { return try showOverview(kernel) }
        let documents = try kernel.ask(PeriodReport(period, now: kernel.clock.now())).flatMap { $0 }
        guard let document = documents.first else {
            throw KernelError.usage(
                "The plugin 'figures' is off. Remove 'enabled: false' from its section in \(global.config).")
        }
        guard let html else {
            global.json ? print(json(document).text(isIndented: true)) : show(document)
            return
        }
        let pages = try Pages(config: kernel.config, plugins: kernel.pluginTypes)
        guard let page = pages.render(document.page, document.values) else {
            throw KernelError.data("There is no page '\(document.page)'.")
        }
        guard FileManager.default.createFile(atPath: html, contents: Data(page.utf8)) else {
            throw KernelError.unwritable(html)
        }
        print("Wrote \(html): \(document.title).")
    }

    /// Prints a document: what it says, its tables, and where asked the SQL they came from.
    private func show(_ document: PeriodDocument) {
        let style = TextStyle(isColoured: Terminal.attached(to: STDOUT_FILENO).allowsColour)
        print(style.bold(document.title))
        for part in document.parts {
            print("\n\(style.bold(part.title))")
            for sentence in part.sentences { print(sentence) }
            if !part.table.rows.isEmpty { part.table.show() }
            if sql { print("\n\(part.sql);") }
        }
    }

    /// The same as one document.
    private func json(_ document: PeriodDocument) -> JSONValue {
        let parts = document.parts.map { part -> JSONValue in
            var entries: [(key: String, value: JSONValue)] = [
                ("title", .string(part.title)), ("sentences", .array(part.sentences.map(JSONValue.string))),
                ("rows", part.table.json),
            ]
            if sql { entries.append(("sql", .string(part.sql))) }
            return .object(entries)
        }
        return .object([("title", .string(document.title)), ("parts", .array(parts))])
    }

    private func showOverview(_ kernel: Kernel) throws {
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
        guard !global.json else {
            let parts = sections.map { JSONValue.object([("title", .string($0.title)), ("rows", $0.table.json)]) }
            print(JSONValue.object([("parts", .array(parts))]).text(isIndented: true))
            return
        }
        for section in sections {
            print("\n\(style.bold(section.title))")
            section.table.show()
        }
    }
}
