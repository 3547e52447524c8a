import ArgumentParser
import Foundation
import TrellisKernel

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the database, while it is in use, into a file that is checked before it gets its name.")
    @OptionGroup var global: GlobalOptions
    @Argument(help: "The new file.")
    var file: String

    func run() throws {
        let kernel = try global.open(checks: false)
        let bytes = try Backup.make(kernel, to: file)
        print("\(file): \(String(format: "%.1f", Double(bytes) / 1_000_000)) MB, checked.")
    }
}
