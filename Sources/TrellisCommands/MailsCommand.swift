import ArgumentParser
import Foundation
import TrellisKernel
import TrellisTransports

struct MailsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mails", abstract: "The mails of the site: which there are, how they look.",
        subcommands: [List.self, Preview.self, Send.self, Check.self, Layout.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Every mail with its purpose, its subject, and where the config uses it.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let entries = try MailPreview(try global.open()).list()
            Table(
                columns: ["name", "purpose", "subject", "variants", "used_by", "problem"],
                rows: entries.map { entry in
                    [entry.name, entry.purpose, entry.subject, entry.variants.joined(separator: ", ")]
                        .map(Cell.text) + [
                            .text(entry.uses.joined(separator: ", ")), entry.problem.map(Cell.text) ?? .null,
                        ]
                }
            ).show(global.format)
            if entries.contains(where: { $0.problem != nil }) { throw QuietExit(code: 65) }
        }
    }

    struct Preview: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "preview", abstract: "A mail as it would reach a lead. Nothing is sent and nothing written.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The mail.")
        var name: String
        @Option(help: "The lead: an id, an e-mail address, or external:ID.")
        var lead: String?
        @Option(help: "A folder for NAME.html and NAME.txt; without it the text is printed.")
        var out: String?

        func run() throws {
            let kernel = try global.open()
            let page = try MailPreview(kernel).render(name, lead: try kernel.find(lead))
            for problem in page.problems { TrellisProgram.note("warning: \(problem)") }
            guard let out else {
                print("Subject: \(page.subject)\n\n\(page.text)", terminator: "")
                return
            }
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
            for (ending, text) in [("html", page.html), ("txt", "Subject: \(page.subject)\n\n\(page.text)")] {
                let path = "\(out)/\(name).\(ending)"
                guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else {
                    throw KernelError.folderNotWritable(path)
                }
                print(path)
            }
        }
    }

    struct Send: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "send", abstract: "Send a mail to yourself, marked [Test]. It is counted for no lead.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The mail.")
        var name: String
        @Option(help: "Your address.")
        var to: String
        @Option(help: "The lead it is made for: an id, an e-mail address, or external:ID.")
        var lead: String?

        func run() throws {
            let kernel = try global.open()
            let id = try MailPreview(kernel).send(name, to: to, lead: try kernel.find(lead))
            print("Message \(id) goes to \(to) when 'trellis work' or 'trellis serve' runs.")
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Ask the name servers whether receivers can trust your mail: SPF, DKIM, DMARC. Exit 65 when not.")
        @OptionGroup var global: GlobalOptions

        func run() async throws {
            let kernel = try global.open(checks: false)
            let findings = try await SenderCheck(kernel.config).run()
            if global.json {
                Table(
                    columns: ["check", "state", "name", "detail"],
                    rows: findings.map { [$0.name, $0.state.rawValue, $0.subject, $0.detail].map(Cell.text) }
                ).show(.json)
            } else {
                Check.show(findings)
            }
            if kernel.config.site.mail.transport == "file" {
                TrellisProgram.note("mail.transport is file: no mail leaves this machine yet.")
            }
            if findings.contains(where: { [.missing, .wrong].contains($0.state) }) { throw QuietExit(code: 65) }
        }

        /// What is to do stands below, so that a long record can be copied whole.
        private static func show(_ findings: [SenderCheck.Finding]) {
            let style = TextStyle(isColoured: Terminal.attached(to: STDOUT_FILENO).allowsColour)
            for finding in findings {
                let state = finding.state.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
                let isDue = [.missing, .wrong].contains(finding.state)
                let mark = isDue ? style.red(state) : finding.state == .ok ? style.green(state) : style.yellow(state)
                print("\(mark) \(finding.name): \(finding.subject)\n         \(finding.detail)")
            }
        }
    }

    struct Layout: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "layout", abstract: "Print the built-in layout, to begin a layout.html of your own with.")

        func run() throws {
            print(MailLayout.builtInSource, terminator: "")
        }
    }
}

extension Kernel {
    /// The lead as people name it; nil where none is named.
    fileprivate func find(_ lead: String?) throws -> Int64? {
        try lead.map { name in try read { try LeadReference(name).find($0) } }
    }
}
