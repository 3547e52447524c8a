import ArgumentParser
import Foundation
import TrellisKernel

struct AsOfCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "as-of",
        abstract: "Ask the file as it was: SQL or a query of the config, at a moment that has been.",
        discussion: """
            trellis as-of 2026-05-01 "SELECT stage, count(*) FROM leads GROUP BY stage"
            trellis as-of yesterday hot-leads --country DE --format csv

            The moment is a day (its first instant in the zone of the site), a time, with an offset or of that zone,
            'yesterday 18:00' or '7 days ago'. In the query 'now' means it. All options of 'trellis sql' but --write.
            """)

    @Option(help: "The configuration.")
    var config: String?
    @Option(help: "The SQLite file, in place of the one the configuration names.")
    var database: String?
    @Flag(help: "Print JSON.")
    var json = false
    @Argument(help: "The moment.")
    var moment: String
    @Argument(parsing: .captureForPassthrough, help: "SQL, or the name of a query, and the options of 'trellis sql'.")
    var question: [String] = []

    func run() throws {
        var words: [String] = json ? ["--json"] : []
        if let config { words += ["--config", config] }
        if let database { words += ["--database", database] }
        var command = try SQLCommand.parse(words + question)
        try command.ask(asOf: moment)
    }
}

/// The file as it was, and what has to be said about it.
struct PastAccess {
    let reader: PastReader
    private let place: LocalTime

    init(_ moment: String, path: String, config: Config, limits: ReadingLimits) throws {
        place = LocalTime(named: config.site.site.timezone) ?? LocalTime(.gmt)
        let moment = try PastMoment(moment, in: place, now: KernelClock.system.now())
        reader = try PastReader(path: path, moment: moment, plugins: TrellisProgram.plugins, limits: limits)
    }

    /// Says which moment it is, on the standard error, so that answers stay answers.
    func begin() throws {
        TrellisProgram.note(reader.heading(in: place))
        if let sentence = try reader.beginning() { TrellisProgram.note(sentence) }
    }

    /// Runs one statement that reads.
    func run(
        _ sql: String, _ values: [String: Cell], _ columns: ([String]) throws -> Void, _ row: ([Cell]) throws -> Bool
    ) throws {
        do {
            try reader.connection.run(reader.moment.spelled(sql), parameters: values, columns: columns, row: row)
        } catch let error as KernelError where "\(error)".contains("because it is a view") {
            // What was is made of views, of which SQLite says that before it asks whether anybody may write.
            throw KernelError.usage("'trellis as-of' only reads: what was cannot be written.")
        }
    }

    func doubts() throws {
        for sentence in try reader.doubts() { TrellisProgram.note(sentence) }
    }
}
