import ArgumentParser
import Foundation
import TrellisKernel

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Make two leads one: the second takes in the first.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The lead that goes.")
    var gone: String
    @Argument(help: "The lead that stays.")
    var kept: String

    func run() throws {
        let kernel = try global.open(checks: false)
        let id = try kernel.write(origin: "cli") { tx in
            let id = try LeadReference(kept).find(tx.db)
            try tx.merge(LeadReference(gone).find(tx.db), into: id)
            return id
        }
        print("Lead \(id) took in \(gone). The row that went is in the trash for \(Trash.days) days.")
    }
}
