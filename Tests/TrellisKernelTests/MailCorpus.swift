import Foundation
import TrellisKernel

/// The mails under Tests/MailCorpus, a folder per kind. Where the return address and the identity of our mail stand,
/// they say RETURN-ADDRESS and MESSAGE-ID.
struct CorpusMail: Sendable, CustomStringConvertible {
    let name: String
    let kind: ReturnVerdict.Kind
    private let source: Data

    var description: String { name }

    /// The mail about a message of ours.
    func bytes(returnAddress: String, messageID: String) -> [UInt8] {
        let source = CorpusMail.replace("RETURN-ADDRESS", with: returnAddress, in: Array(source))
        return CorpusMail.replace("MESSAGE-ID", with: messageID, in: source)
    }

    /// Byte by byte: a mail need not be text.
    private static func replace(_ mark: String, with text: String, in bytes: [UInt8]) -> [UInt8] {
        let mark = Array(mark.utf8)
        var output: [UInt8] = []
        var rest = bytes[...]
        while let first = rest.first {
            if first == mark[0], rest.starts(with: mark) {
                output += text.utf8
                rest = rest.dropFirst(mark.count)
            } else {
                output.append(first)
                rest = rest.dropFirst()
            }
        }
        return output
    }

    static let all: [CorpusMail] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "MailCorpus")
        return ReturnVerdict.Kind.allCases.flatMap { kind -> [CorpusMail] in
            let files = try? FileManager.default.contentsOfDirectory(
                atPath: folder.appending(path: kind.rawValue).path())
            return (files ?? []).sorted().compactMap { file in
                let name = "\(kind.rawValue)/\(file)"
                guard let source = try? Data(contentsOf: folder.appending(path: name)) else { return nil }
                return CorpusMail(name: name, kind: kind, source: source)
            }
        }
    }()

    static func named(_ name: String) -> CorpusMail? { all.first { $0.name == name + ".eml" } }
}
