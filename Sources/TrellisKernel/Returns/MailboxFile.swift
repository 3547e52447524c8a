import Foundation

/// A file of many mails, each behind a line that begins with `From ` (mbox, RFC 4155).
public struct MailboxFile: Sendable {
    private let bytes: Data

    /// - Throws: ``KernelError/unreadable(_:)``.
    public init(path: String) throws {
        guard let bytes = try? Data(contentsOf: URL(filePath: path), options: .mappedIfSafe) else {
            throw KernelError.unreadable(path)
        }
        self.bytes = bytes
    }

    init(_ bytes: Data) {
        self.bytes = bytes
    }

    /// Hands on every mail in the order of the file, without its `From ` line, at most ``ReceivedMail/bytesMax`` of
    /// each. What stands before the first such line is no mail.
    public func each(_ take: ([UInt8]) throws -> Void) rethrows {
        let (mark, lineFeed) = (Array("From ".utf8), UInt8(ascii: "\n"))
        var begin: Data.Index?
        var line = bytes.startIndex
        var isAfterEmptyLine = true
        while line < bytes.endIndex {
            let end = bytes[line...].firstIndex(of: lineFeed) ?? bytes.endIndex
            let next = min(end + 1, bytes.endIndex)
            if isAfterEmptyLine, bytes[line..<end].starts(with: mark) {
                if let begin { try take(Array(bytes[begin..<line].prefix(ReceivedMail.bytesMax))) }
                begin = next
            }
            isAfterEmptyLine = end == line || bytes[line..<end].elementsEqual([UInt8(ascii: "\r")])
            line = next
        }
        if let begin { try take(Array(bytes[begin...].prefix(ReceivedMail.bytesMax))) }
    }
}
