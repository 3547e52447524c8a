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
        let person = try Person(email: email)
        let files = try person.files(kernel)
        let count = try person.erase(kernel)
        guard count > 0 else { return print("Nobody of that address was here; it is kept out from now on.") }
        print("Erased. Backups made before still hold the person.")
        guard !files.isEmpty else { return }
        print("So do these files; delete them, and export again:")
        for file in files { print("  \(file)") }
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
