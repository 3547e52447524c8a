import Foundation

/// Messages as the protocol has them on pipes: a line each
/// (https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#stdio).
struct MCPLines: Sequence, IteratorProtocol {
    enum Line: Sendable, Hashable {
        case text(String)
        /// Longer than ``bytesMax``: its bytes are gone.
        case tooLong
        case notUTF8
    }

    /// No question is longer, and what is held for one is no more.
    static let bytesMax = 1 << 20

    private let descriptor: Int32
    private var pending: [UInt8] = []
    private var isAtEnd = false

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Waits for the next line; nil once there are no more.
    mutating func next() -> Line? {
        var (searched, isTooLong) = (0, false)
        while true {
            if let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(pending[..<end])
                pending.removeSubrange(...end)
                return isTooLong || line.count > MCPLines.bytesMax ? .tooLong : MCPLines.read(line)
            }
            if pending.count > MCPLines.bytesMax {
                isTooLong = true
                pending.removeAll(keepingCapacity: true)
            }
            searched = pending.count
            if isAtEnd {
                guard !pending.isEmpty || isTooLong else { return nil }
                let line = pending
                pending = []
                return isTooLong ? .tooLong : MCPLines.read(line)
            }
            receive()
        }
    }

    private mutating func receive() {
        var block = [UInt8](repeating: 0, count: 65_536)
        let count = Foundation.read(descriptor, &block, block.count)
        if count < 0, errno == EINTR { return }
        guard count > 0 else {
            isAtEnd = true
            return
        }
        pending.append(contentsOf: block[..<count])
    }

    private static func read(_ bytes: [UInt8]) -> Line {
        String(validating: bytes, as: UTF8.self).map(Line.text) ?? .notUTF8
    }

    /// Writes a line as a whole. False where nobody reads any more.
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array((text + "\n").utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
