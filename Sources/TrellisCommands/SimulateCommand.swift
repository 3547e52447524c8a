import ArgumentParser
import Foundation
import TrellisKernel
import TrellisServer

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "What the config would do in the time to come: on a copy of the file, nothing is sent.",
        discussion: """
            trellis simulate --for 30d
            trellis simulate --for 30d --with other.yaml --html both.html

            The time passes in the copy as fast as its work takes. People do there what people like them did: how often \
            mails are opened, clicked and answered, how reps answer handoffs and how many leads come is measured from the \
            log, assumed where it tells too little (the table of rates says which), or given with --rates:

              leads_per_day: 20
              rates:
                mail.clicked: {rate: 0.04, after: 6h}
                demo.booked: {rate: 0.02}

            With --with two configs live through the same time with the same luck, so that what differs is theirs.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(name: .customLong("for"), help: "How long: 30d, 4 weeks, 12h.")
    var span: String
    @Option(
        name: .customLong("with"),
        help: "Another configuration, to be put side by side; - for one on the standard input.")
    var other: String?
    @Option(name: .customLong("leads-per-day"), help: "New leads a day; without it as many as came lately.")
    var leadsPerDay: Double?
    @Option(help: "A file of rates, in place of those of the log.")
    var rates: String?
    @Option(help: "Another number, other luck.")
    var seed: UInt64 = 1
    @Option(help: "What is due within so long is done together; 0s for each at its own moment.")
    var step = "15m"
    @Flag(help: "Nobody does anything and no lead comes: only what is under way goes on.")
    var still = false
    @Option(help: "Write a page with charts too.")
    var html: String?
    @Option(help: "Keep the copy as a SQLite file, for questions in SQL.")
    var keep: String?

    static let spanMax = 366 * 86_400

    func validate() throws {
        guard let length = Span(span), length.seconds > 0, length.seconds <= SimulateCommand.spanMax else {
            throw ValidationError("--for: expected a time of at most 366 days, such as 30d or 4 weeks, got '\(span)'.")
        }
        guard let width = Span(step), width.seconds <= 86_400 else {
            throw ValidationError("--step: expected a time of at most a day, such as 15m, got '\(step)'.")
        }
        if let leadsPerDay, !(0...1_000_000).contains(leadsPerDay) {
            throw ValidationError("--leads-per-day: expected a number from 0 to 1,000,000.")
        }
        if still, leadsPerDay != nil || rates != nil {
            throw ValidationError(
                "--still means that no lead comes and nobody acts: leave --leads-per-day and --rates out.")
        }
    }

    func run() async throws {
        let config = try checked(global.load())
        let isTyped = other == ProposedChange.standardInput
        let otherConfig = try other.map {
            isTyped
                ? try checked(global.typed())
                : try GlobalOptions.present($0) { try Config.checked(file: $0, plugins: TrellisProgram.plugins).config }
        }
        let keeps = try keptFiles()
        let plan = try plan()
        let stop = StopSignal()
        let simulation = Simulation(
            of: config.databasePath, plugins: TrellisProgram.plugins, now: KernelClock.system.now(), plan: plan)
        let first = try await live(simulation, config, keep: keeps.first, until: stop)
        var second: SimulationOutcome?
        if let otherConfig {
            let name = isTyped ? "the other config" : nil
            second = try await live(simulation, otherConfig, called: name, keep: keeps.last, until: stop)
        }
        let report = SimulationDocument(first: first, second: second, span: span)
        if let html { try write(report, config, to: html) }
        report.show(isJSON: global.json)
        guard !global.json else { return }
        if let html { print("\nWrote \(html).") }
        for file in keeps { print("Kept \(file). Ask it: trellis sql --database \(file) 'SELECT …'") }
    }

    private func checked(_ config: Config) throws -> Config {
        try config.check(plugins: TrellisProgram.plugins)
        return config
    }

    private func plan() throws -> Simulation.Plan {
        var plan = Simulation.Plan(seconds: Double(Span(span)?.seconds ?? 0))
        plan.seed = seed
        plan.step = Double(Span(step)?.seconds ?? 900)
        plan.isAlive = !still
        if let rates { plan.settings = try SimulationSettings.load(rates) }
        plan.settings.leadsPerDay = leadsPerDay ?? plan.settings.leadsPerDay
        return plan
    }

    private func live(
        _ simulation: Simulation, _ config: Config, called other: String? = nil, keep file: String?,
        until stop: StopSignal
    ) async throws -> SimulationOutcome {
        let start = ContinuousClock.now
        let name = other ?? (config.file as NSString).lastPathComponent
        var bar = ProgressBar.onStandardError(label: "simulating \(name)", noun: "hours") {
            ContinuousClock.now - start
        }
        let hours = Double(Span(span)?.seconds ?? 0) / 3600
        let outcome = try await simulation.run(config, called: name, keepingAs: file) { fraction in
            bar.update(fraction: fraction, rows: Int(fraction * hours))
            return !stop.isRaised
        }
        bar.finish()
        guard let outcome else {
            TrellisProgram.note("Stopped. The copy is gone.")
            throw QuietExit(code: 130)
        }
        return outcome
    }

    /// One for each config; refused before the work rather than after it.
    private func keptFiles() throws -> [String] {
        guard let keep else { return [] }
        let path = keep as NSString
        let end = path.pathExtension.isEmpty ? "" : "." + path.pathExtension
        let files = other == nil ? [keep] : [keep, path.deletingPathExtension + "-other" + end]
        for file in files where FileManager.default.fileExists(atPath: file) {
            throw KernelError.usage("\(file) is there already. Name another file; a copy never overwrites one.")
        }
        return files
    }

    private func write(_ report: SimulationDocument, _ config: Config, to html: String) throws {
        let pages = try Pages(config: config, plugins: TrellisProgram.plugins)
        guard let page = pages.render("simulation", report.values) else {
            throw KernelError.data("There is no page 'simulation'.")
        }
        guard FileManager.default.createFile(atPath: html, contents: Data(page.utf8)) else {
            throw KernelError.unwritable(html)
        }
    }
}
