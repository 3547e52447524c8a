import Foundation
import TrellisKernel

extension TestKernel {
    /// Runs a command of a plugin as the shell would: `run("handoff accept", "1")`.
    ///
    /// - Returns: the rows of its table as texts joined by `|`, then its sentence.
    @discardableResult
    public func run(_ path: String, _ arguments: String..., options: [String: String] = [:]) throws -> [String] {
        let commands = kernel.plugins.flatMap { $0.commands }
        guard let command = commands.first(where: { $0.path.joined(separator: " ") == path }) else {
            throw KernelError.usage("There is no command '\(path)'.")
        }
        switch try command(CommandCall(kernel: kernel, arguments: arguments, options: options)) {
        case .table(let table): return TestKernel.lines(table)
        case .tableWithNote(let table, let note): return TestKernel.lines(table) + [note]
        case .text(let sentence): return [sentence]
        case .page(let name, _): return [name]
        }
    }

    /// Logs an activity of the config, as `trellis record` does.
    public func record(
        _ kind: String, lead: Int64, _ fields: KeyValuePairs<String, String> = [:], at time: String? = nil
    ) throws {
        try kernel.write(origin: "cli") {
            try $0.record(kind, lead: lead, fields: fields.map { ($0.key, $0.value) }, at: time)
        }
    }

    /// What a person would have to look into: promises of the file that are broken, and whatever stands still. Empty
    /// when all is well.
    public func troubles() throws -> [String] {
        try Doctor(kernel).examine(isStrict: true).filter { !$0.isKept }.map { "\($0.promise): \($0.detail)" }
            + rows("SELECT stop, subject, reason FROM kernel_stops")
    }

    private static func lines(_ table: Table) -> [String] {
        table.rows.map { row in row.map { $0.text ?? "" }.joined(separator: "|") }
    }
}

extension RenderedMessage {
    /// The subject, where it needed no encoding.
    public var subject: String {
        source.split(separator: "\r\n", omittingEmptySubsequences: false).first { $0.hasPrefix("Subject: ") }.map {
            String($0.dropFirst(9))
        } ?? ""
    }

    /// The plain text of the mail as a person reads it (quoted-printable, RFC 2045 section 6.7).
    public var text: String { part("text/plain") }

    /// The page of the mail as a program shows it.
    public var html: String { part("text/html") }

    private func part(_ type: String) -> String {
        let mark = "Content-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        guard let begin = source.range(of: mark)?.upperBound else { return "" }
        let end = source.range(of: "\r\n--=_trellis_", range: begin..<source.endIndex)?.lowerBound ?? source.endIndex
        let encoded = Array(source[begin..<end].replacing("=\r\n", with: "").replacing("\r\n", with: "\n").utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < encoded.count {
            if encoded[index] == UInt8(ascii: "="), index + 2 < encoded.count,
                let byte = UInt8(String(decoding: encoded[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(encoded[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The whole message as it leaves.
    public var source: String { String(decoding: bytes, as: UTF8.self) }
}
