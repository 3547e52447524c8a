import ArgumentParser
import Foundation
import TrellisKernel

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Make a lead a contact at its account, with an opportunity.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The lead: an id, an e-mail address, or external:ID.")
    var lead: String
    @Option(help: "The name of the opportunity.")
    var name: String?
    @Option(help: "The amount of the opportunity.")
    var amount: Double?
    @Option(help: "The currency of the amount: EUR.")
    var currency: String?

    func run() throws {
        let kernel = try global.open(checks: false)
        let made = try kernel.write(origin: "cli") { tx in
            try tx.convert(
                lead: LeadReference(lead).find(tx.db), opportunity: name, amount: amount, currency: currency)
        }
        print(
            "Contact \(made.contactID)\(made.accountID.map { " at account \($0)" } ?? ""), opportunity \(made.opportunityID)."
        )
    }
}
