import ArgumentParser
import Foundation
import Synchronization
import TrellisKernel
import TrellisTransports

struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work",
        abstract: "Handle what happened, keep the appointments, send the mails; until SIGTERM, or until nothing is due."
    )

    @OptionGroup var global: GlobalOptions
    @Flag(name: .customLong("until-idle"), help: "Stop when nothing is due (for cron and CI).")
    var untilIdle = false

    func run() async throws {
        // Also where nothing is read again, for a signal without a handler ends the process.
        let reload = Reload(global, serves: false)
        let kernel = try global.open(for: untilIdle ? .bulk : .worker, makesFile: true)
        let worker = try Worker(
            kernel, transports: OutboxTransports.all(of: kernel.config, clock: kernel.clock), web: HTTPReader.system)
        if worker.isAfterCrash {
            TrellisProgram.note(
                "The worker before this one did not end well. What it had begun is done again where that is safe.")
        }
        if untilIdle {
            try await workUntilIdle(worker, kernel)
        } else {
            let stop = StopSignal()
            TrellisProgram.note(
                "Working on \(kernel.config.databasePath) (pid \(ProcessInfo.processInfo.processIdentifier)). Stop with Ctrl-C."
            )
            let begins = RaisedFlag()
            try await worker.run {
                if reload.isDue() { begins.raise() }
                return stop.isRaised || begins.isRaised
            }
            if begins.isRaised, !stop.isRaised {
                try worker.finish()
                try kernel.close()
                reload.begin()
            }
            TrellisProgram.note("Stopped.")
        }
        try worker.finish()
    }

    private func workUntilIdle(_ worker: Worker, _ kernel: Kernel) async throws {
        let backlog = try StatusLines(kernel).backlog()
        let start = ContinuousClock.now
        var bar = ProgressBar.onStandardError(label: "working", noun: "events") { ContinuousClock.now - start }
        let (events, messages) = try await worker.runUntilIdle { handled in
            bar.update(fraction: backlog > 0 ? min(1, Double(handled) / Double(backlog)) : nil, rows: handled)
            return true
        }
        bar.finish()
        print("Handled \(events) events and settled \(messages) messages.")
        let stops = try StatusLines(kernel).stops()
        guard !stops.rows.isEmpty else { return }
        print(
            "\(stops.rows.count == 1 ? "1 thing stands" : "\(stops.rows.count) things stand") still: see 'trellis status'."
        )
    }
}

/// A flag that several tasks look at, and that stays up once it is raised.
final class RaisedFlag: Sendable {
    private let raised = Atomic(false)

    func raise() { raised.store(true, ordering: .relaxed) }
    var isRaised: Bool { raised.load(ordering: .relaxed) }
}

/// Raised by SIGTERM and SIGINT. A handler of a signal may do nothing but set a flag (signal-safety(7)).
struct StopSignal: Sendable {
    private static let raised = Atomic(false)

    init() {
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in StopSignal.raised.store(true, ordering: .relaxed) }
        }
    }

    var isRaised: Bool { StopSignal.raised.load(ordering: .relaxed) }
}
