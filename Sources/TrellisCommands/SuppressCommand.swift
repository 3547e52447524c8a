import ArgumentParser
import Foundation
import TrellisKernel

struct SuppressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "suppress", abstract: "Never mail an address again.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The e-mail address.")
    var email: String
    @Option(help: "unsubscribed, bounced, complained or manual.")
    var reason = "manual"

    func run() throws {
        guard ["unsubscribed", "bounced", "complained", "manual"].contains(reason) else {
            throw KernelError.usage("The reason is unsubscribed, bounced, complained or manual, not '\(reason)'.")
        }
        let kernel = try global.open(checks: false)
        let address: String
        do { address = try EmailAddress(email).address } catch { throw KernelError.usage("\(error)") }
        try kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: "INSERT INTO suppressions (email, reason, origin, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                arguments: [address, reason, tx.origin, tx.stamp])
        }
        print("\(address) is not mailed any more.")
    }
}
