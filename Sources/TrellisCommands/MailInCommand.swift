import ArgumentParser
import Foundation
import TrellisKernel

struct MailInCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail-in",
        abstract: "Take in what came back by mail: bounces, complaints, replies.",
        discussion: """
            Without an option it reads one mail from standard input, for an alias of the mail server that runs it as the
            user who owns the file (Documentation/Postfix.md):
              bounces: "|/usr/local/bin/trellis mail-in --config /srv/crm/config.yaml --recipient $ORIGINAL_RECIPIENT"
            Whatever goes wrong then ends with 75, so that the server keeps the mail and tries again.
            The same mail twice is once.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: "A Maildir: its new mails are read and moved to cur/.")
    var maildir: String?
    @Option(help: "A file that holds one mail.")
    var file: String?
    @Option(help: "A file that holds many mails (mbox); it stays as it is.")
    var mbox: String?
    @Option(help: "To whom the mail server handed the one mail, where its headers do not say so.")
    var recipient: String?
    @Flag(name: .customLong("dry-run"), help: "Tell what the mails are, and change nothing.")
    var dryRun = false

    func run() throws {
        guard [maildir, file, mbox].compactMap({ $0 }).count <= 1 else {
            throw KernelError.usage("Name one of --maildir, --file and --mbox.")
        }
        guard maildir == nil, file == nil, mbox == nil else { return try readFiles() }
        do {
            let filed = try readStandardInput()
            // A mail server writes what is printed here into its log, a line without marks of any kind.
            guard !global.json else { return report(filed) }
            for mail in filed {
                print(
                    [mail.kind.rawValue, mail.status, mail.isNew ? nil : "known"].compactMap { $0 }.joined(
                        separator: " "))
            }
        } catch {
            // A server throws away what it cannot hand over for good, since nobody is there to tell.
            TrellisProgram.complain("\(error)")
            throw QuietExit(code: 75)
        }
    }

    private func readStandardInput() throws -> [Mailroom.Filed] {
        guard let bytes = ReturnInbox.bytes(of: STDIN_FILENO) else {
            throw KernelError.data("The mail could not be read from standard input.")
        }
        // The server should not take it for a failure that the rest of a big mail is not read.
        while try FileHandle.standardInput.read(upToCount: 65_536)?.isEmpty == false {}
        return [try take(bytes, with: Mailroom(global.open(checks: false)))]
    }

    private func readFiles() throws {
        let mailroom = Mailroom(try global.open(checks: false))
        var filed: [Mailroom.Filed] = []
        if let file {
            let handle = FileHandle(forReadingAtPath: file)
            guard let handle, let bytes = ReturnInbox.bytes(of: handle.fileDescriptor) else {
                throw KernelError.unreadable(file)
            }
            filed.append(try take(bytes, with: mailroom))
        } else if let mbox {
            try MailboxFile(path: mbox).each { filed.append(try take($0, with: mailroom)) }
        } else if let maildir {
            let inbox = ReturnInbox(folder: maildir)
            // A dry run leaves them in new/, where each further round would find the same.
            repeat {
                let count = try inbox.each(moves: !dryRun) { filed.append(try take($0, with: mailroom)) }
                if count < ReturnInbox.roundMax { break }
            } while !dryRun
        }
        report(filed)
    }

    private func take(_ bytes: [UInt8], with mailroom: Mailroom) throws -> Mailroom.Filed {
        dryRun ? try mailroom.look(bytes, recipient: recipient) : try mailroom.take(bytes, recipient: recipient)
    }

    /// A line per kind, status and whether it was there before, the most frequent first.
    private func report(_ filed: [Mailroom.Filed]) {
        let table = Mailroom.summary(filed)
        if !table.rows.isEmpty || global.json { table.show(global.format) }
        guard !global.json else { return }
        let new = filed.count { $0.isNew }
        print(
            "\(filed.count) mail\(filed.count == 1 ? "" : "s") read, \(new) new."
                + (dryRun ? " Nothing was changed." : ""))
    }
}
