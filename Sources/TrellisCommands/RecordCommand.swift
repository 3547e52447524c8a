import ArgumentParser
import Foundation
import TrellisKernel

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Log an activity of a lead, as declared under activities:.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The lead: an id, an e-mail address, or external:ID.")
    var lead: String
    @Argument(help: "The activity: demo.booked")
    var kind: String
    @Argument(help: ArgumentHelp("Its fields.", valueName: "field=value"))
    var fields: [String] = []
    @Option(help: "When it happened, UTC; now without it. What lies ahead is logged when it comes.")
    var at: String?

    func run() throws {
        try record(on: try global.open(checks: false))
        print("Recorded \(kind) for \(lead).")
    }

    func record(on kernel: Kernel) throws {
        let pairs = try Assignments(fields).pairs
        try kernel.write(origin: "cli") { tx in
            try tx.record(kind, lead: LeadReference(lead).find(tx.db), fields: pairs, at: at)
        }
    }
}
