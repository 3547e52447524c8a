import CTrellisProcess
import Foundation
import TrellisKernel

/// What a server starts for each question in SQL: reads a ``GuardedQuery`` from the standard input and writes the
/// ``AnswerFrame``s to the standard output. It has nothing else: no environment, no other descriptor, little memory and
/// little time.
enum AnswerQuery {
    /// How much is written at once: an answer cut off by a kill is not far behind what was found.
    private static let blockMax = 32_768
    /// The shared memory of the write-ahead log is the only file it may make longer.
    private static let fileBytesMax: UInt = 16 << 20

    static func run() -> Never {
        let text = readToEnd()
        guard let query = GuardedQuery(text: text) else { exit(64) }
        let seconds = query.allowance.seconds + GuardedQuery.Allowance.graceSeconds
        let code = trellis_confine(
            GuardedQuery.Allowance.memoryMax, UInt(seconds.rounded(.up)), fileBytesMax, UInt32((seconds + 1) * 1000))
        guard code == 0 else { exit(71) }
        GuardedQuery.limitMemory()
        answer(query)
        exit(0)
    }

    private static func answer(_ query: GuardedQuery) {
        var output: [UInt8] = []
        var (keys, rowBytes, isFirst) = ([String](), 0, true)
        let commas = CommaSeparatedText(isRaw: query.isRaw)
        query.run { part in
            switch part {
            case .columns(let columns):
                keys = JSONText.keys(for: columns)
                AnswerFrame(.columns, Array("[\(keys.joined(separator: ","))]".utf8)).write(to: &output)
                if query.rowForm == .csv {
                    AnswerFrame(.row, Array(commas.header(columns).utf8)).write(to: &output)
                }
            case .row(let cells):
                let text =
                    switch query.rowForm {
                    case .json: JSONText.array(cells)
                    case .ndjson: JSONText.object(cells, keys: keys) + "\n"
                    case .csv: commas.line(cells)
                    }
                let row = Array(text.utf8)
                rowBytes += row.count
                guard rowBytes <= query.allowance.bytes else { return false }
                AnswerFrame(.row, row).write(to: &output)
            case .end(let ending): AnswerFrame(.end, Array(ending.text.utf8)).write(to: &output)
            }
            if isFirst || output.count >= blockMax { send(&output) }
            if case .row = part { isFirst = false }
            return true
        }
        send(&output)
    }

    private static func readToEnd() -> String {
        var (bytes, block) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
        while true {
            let count = read(STDIN_FILENO, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: block[..<count])
        }
    }

    /// Ends the process where nobody listens any more.
    private static func send(_ output: inout [UInt8]) {
        var sent = 0
        while sent < output.count {
            let count = output[sent...].withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { exit(74) }
            sent += count
        }
        output.removeAll(keepingCapacity: true)
    }
}
