import ArgumentParser
import Foundation
import TrellisKernel

struct EraseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract:
            "Remove a person: lead, contact, consents, mails. Counts stay, and a keyed hash keeps the address out.")
    @OptionGroup var global: GlobalOptions
    @Argument(help: "The e-mail address.")
    var email: String

    func run() throws {
        let kernel = try global.open(checks: false)
        let count = try Person(email: email).erase(kernel)
        print(
            count == 0
                ? "Nobody of that address was here; it is kept out from now on."
                : "Erased. Backups made before still hold the person.")
    }
}

struct ExportPersonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-person", abstract: "Everything that is kept about a person, as JSON.")
    @OptionGroup var global: GlobalOptions
    @Argument(help: "The e-mail address.")
    var email: String

    func run() throws {
        let kernel = try global.open(checks: false)
        print(try Person(email: email).export(kernel).text(isIndented: true))
    }
}
