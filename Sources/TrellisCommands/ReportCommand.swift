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
            --month 2026-03 and --week 2026-03-02 ask for another one, --so-far for the one that runs, of which it is
            said that it is not over.
            --html FILE writes it as a page that can be read, mailed and printed.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("weekly or monthly.", valueName: "period"))
    var period: PeriodReport.Period?
    @Option(help: ArgumentHelp("The month of a monthly report.", valueName: "YYYY-MM"))
    var month: String?
    @Option(help: ArgumentHelp("A day of the week of a weekly report.", valueName: "YYYY-MM-DD"))
    var week: String?
    @Flag(help: "The week or month that runs now, so far.")
    var soFar = false
    @Option(help: "Write a page instead of printing.")
    var html: String?
    @Flag(help: "Print the SQL behind each table.")
    var sql = false

    func validate() throws {
        if period == nil, html != nil || sql {
            throw ValidationError("--html and --sql belong to a period: trellis report monthly --html report.html")
        }
        if month != nil, period != .monthly {
            throw ValidationError("--month belongs to the monthly report: trellis report monthly --month 2026-03")
        }
        if week != nil, period != .weekly {
            throw ValidationError("--week belongs to the weekly report: trellis report weekly --week 2026-03-02")
        }
        if soFar, period == nil || month != nil || week != nil {
            throw ValidationError("--so-far is the period that runs: trellis report monthly --so-far")
        }
    }

    func run() throws {
        let kernel = try global.open(checks: false)
        guard let period else { return try showOverview(kernel) }
        let now = kernel.clock.now()
        let question = PeriodReport(period, now: now, of: try moment(at: now))
        let documents = try kernel.ask(question).flatMap { $0 }
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

    /// A moment of the week or month that is asked for; nil for the last whole one.
    private func moment(at now: Date) throws -> Date? {
        if soFar { return now }
        guard let asked = month.map({ $0 + "-01" }) ?? week else { return nil }
        guard asked.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) != nil, let moment = Timestamp.date(asked) else {
            throw KernelError.usage(
                month.map { "'\($0)' is no month. Write it so: --month 2026-03" }
                    ?? "'\(asked)' is no day. Write it so: --week 2026-03-02")
        }
        guard moment <= now else { throw KernelError.usage("\(month ?? asked) has not begun yet.") }
        return moment
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
