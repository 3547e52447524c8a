import ArgumentParser
import Foundation
import TrellisKernel

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract:
            "Take in a CSV file of any size. The same file twice changes nothing; an interrupted import goes on where it stopped.",
        discussion: """
            Columns named like a field need no mapping. Others: --map "Lead Number=external_id", or a mapping file:
              columns: {"Lead Number": external_id}
              empty: [Select]
              ignore: [Internal note]
              constants: {source: trade fair}
            --into spend takes what Google Ads, Meta, LinkedIn and Microsoft Advertising download, by day, as it is.
            A column consent_PURPOSE (yes or no) records a consent. Rejected rows go to FILE.rejected.csv beside the config, with their reason.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The CSV file.")
    var file: String
    @Option(help: "A mapping file.")
    var mapping: String?
    @Option(help: ArgumentHelp("One column and its field; may be given again.", valueName: "CSV column=field"))
    var map: [String] = []
    @Option(help: "The table: leads, contacts, accounts, opportunities, activities or spend.")
    var into: String?
    @Option(help: "The source of leads that name none.")
    var source: String?
    @Option(
        help: ArgumentHelp(
            "A field and its value in every row that has none; may be given again.", valueName: "field=value"))
    var set: [String] = []
    @Flag(name: .customLong("dry-run"), help: "Say what would happen and change nothing.")
    var isDryRun = false
    @Flag(help: ArgumentHelp("Go on with an interrupted import, as is done anyway.", visibility: .hidden))
    var resume = false
    @Option(
        help: "Rows in one transaction: what waits behind the import at most. 20000 without it, 2000 beside a worker.")
    var chunk: Int?
    @Flag(help: "Import the file again although it was imported before.")
    var again = false

    @Flag(help: "Import it although it touches more than limits: allows.")
    var confirm = false

    func validate() throws {
        if let chunk, !(1...100_000).contains(chunk) { throw ValidationError("--chunk takes 1 to 100000 rows.") }
    }

    func run() async throws {
        let kernel = try global.open(for: .bulk, makesFile: true)
        let mapping = try plan()
        if !isDryRun {
            try await LimitedChange(kernel, isConfirmed: confirm, doing: "trying the import on a copy").hold { copy in
                _ = try Importer(copy, file: file, mapping: mapping).run(repeats: again)
            }
        }
        let importer = Importer(kernel, file: file, mapping: mapping, isDryRun: isDryRun, chunkRows: chunk)
        let start = ContinuousClock.now
        var bar = ProgressBar.onStandardError(label: "importing") { ContinuousClock.now - start }
        let report = try importer.run(repeats: again) { fraction, rows in
            bar.update(fraction: fraction, rows: rows)
            return true
        }
        bar.finish()
        global.json ? print(json(report)) : show(report, elapsed: ContinuousClock.now - start)
    }

    private func plan() throws -> ImportMapping {
        var plan = try mapping.map(ImportMapping.load) ?? ImportMapping()
        if let into {
            guard let target = ImportMapping.Target(rawValue: into) else {
                let words = ImportMapping.Target.allCases.map(\.rawValue)
                throw KernelError.usage(
                    "There is no table '\(into)'.\(NearMiss.hint(into, among: words)) There are: \(words.joined(separator: ", "))."
                )
            }
            plan.target = target
        }
        for pair in map {
            guard let equals = pair.lastIndex(of: "=") else {
                throw KernelError.usage("--map takes \"CSV column=field\", not '\(pair)'.")
            }
            plan.columns.append(Named(String(pair[..<equals]), String(pair[pair.index(after: equals)...])))
        }
        for pair in set {
            guard let equals = pair.firstIndex(of: "=") else {
                throw KernelError.usage("--set takes field=value, not '\(pair)'.")
            }
            plan.constants.append(Named(String(pair[..<equals]), String(pair[pair.index(after: equals)...])))
        }
        if let source { plan.constants.append(Named("source", source)) }
        return plan
    }

    private func show(_ report: ImportReport, elapsed: Duration) {
        if report.wasDoneBefore {
            print(
                "\(file) was imported before (import \(report.id)): nothing to do. Use --again to go through it once more."
            )
            return
        }
        if report.resumedAfter > 0 {
            print("Went on after row \(report.resumedAfter) of the interrupted import \(report.id).")
        }
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        print(
            "\(isDryRun ? "Would import" : "Imported") \(report.rows) rows in \(String(format: "%.1f", seconds)) s: \(report.created) new, \(report.changed) changed, "
                + "\(report.same) as they were, \(report.rejected) rejected.")
        if report.encoding != "utf-8" { print("The file was read as \(report.encoding).") }
        if report.unwrappedRows > 0 { print("\(report.unwrappedRows) rows were quoted as a whole and taken apart.") }
        if report.skipped > 0 {
            print(
                report.skipped == 1
                    ? "1 row of totals was left out." : "\(report.skipped) rows of totals were left out.")
        }
        if !report.ignoredColumns.isEmpty {
            print("Left out, because no field is called so: \(report.ignoredColumns.joined(separator: ", ")).")
        }
        for example in report.examples.prefix(report.rejectedFile == nil ? 20 : 5) { print("  \(example)") }
        if let file = report.rejectedFile { print("Rejected rows with their reasons: \(file)") }
    }

    private func json(_ report: ImportReport) -> String {
        JSONValue.object([
            ("import", .integer(report.id)), ("rows", .integer(Int64(report.rows))),
            ("created", .integer(Int64(report.created))),
            ("changed", .integer(Int64(report.changed))), ("same", .integer(Int64(report.same))),
            ("rejected", .integer(Int64(report.rejected))),
            ("rejected_file", report.rejectedFile.map(JSONValue.string) ?? .null),
            ("done_before", .bool(report.wasDoneBefore)),
        ]).text()
    }
}
