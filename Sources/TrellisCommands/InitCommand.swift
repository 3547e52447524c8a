import ArgumentParser
import Foundation
import TrellisKernel

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Lay down a starter CRM: a config, mails, landing pages, 50 sample leads, what they cost and brought."
    )

    @Argument(help: "The folder; made where it is not there.")
    var folder = "."

    func run() throws {
        let files = EmbeddedStarter.files.filter { $0.name != ".env.example" }
        let taken = files.map(\.target).filter { FileManager.default.fileExists(atPath: path($0)) }
        guard taken.isEmpty else {
            throw KernelError.usage(
                "\(folder) already has \(taken.joined(separator: ", ")). Nothing was written; name another folder.")
        }
        for file in files { try write(file.text, to: file.target) }
        if !FileManager.default.fileExists(atPath: path(".env")) {
            try write(
                """
                # Seals links. Keep it out of version control; whoever has it can make links in your name.
                TRELLIS_SECRET=\(randomDigits())
                # What a program says to the API: Authorization: Bearer …
                TRELLIS_ADMIN_TOKEN=\(randomDigits())

                """, to: ".env", mode: 0o600)
        }
        let here = folder == "." ? "" : "cd \(folder)\n  "
        print(
            """
            A starter CRM is in \(folder == "." ? "this folder" : folder). Next:
              \(here)trellis check
              trellis import leads.csv
              trellis import activities.csv --into activities
              trellis import spend.csv --into spend
              trellis import deals.csv --into opportunities
              trellis work --until-idle
              trellis report
              trellis serve
            """)
    }

    /// 256 random bits in hex.
    private func randomDigits() -> String {
        Hexadecimal.text((0..<32).map { _ in UInt8.random(in: .min ... .max) })
    }

    private func path(_ name: String) -> String { folder + "/" + name }

    private func write(_ text: String, to name: String, mode: Int = 0o644) throws {
        let target = path(name)
        do {
            try FileManager.default.createDirectory(
                atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        } catch {
            throw KernelError.cannotCreate(target)
        }
        guard
            FileManager.default.createFile(
                atPath: target, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        else {
            throw KernelError.unwritable(target)
        }
    }
}
