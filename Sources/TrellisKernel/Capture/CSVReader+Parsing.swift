extension CSVReader {
    /// The grammar of RFC 4180, read leniently: it finds one record after the other in the text of a source.
    ///
    /// What the grammar forbids and files contain anyway is kept as it is written: a quote in the middle of a
    /// field that did not begin with one, and text after a closing quote.
    struct Scanner {
        private static let quote: UInt8 = 0x22
        private static let lineFeed: UInt8 = 0x0A
        private static let carriageReturn: UInt8 = 0x0D

        /// What came after a field.
        private enum Ending {
            case delimiter
            case record
        }

        private let source: Source
        private let text: UnsafeMutablePointer<UInt8>
        private let delimiter: UInt8
        /// The part of the text not yet scanned.
        private var cursor = 0
        private var textEnd = 0
        /// The physical line of the byte at the cursor, from 1.
        private var line = 1
        /// Whether the last line ended with CR, so that an LF right after it ends no line of its own.
        private var isAfterCarriageReturn = false
        /// What is known of the bytes of the record being scanned: all of them joined with "or".
        private var bitsSeen: UInt8 = 0
        private var hasNUL = false

        init(source: Source, delimiter: UInt8) {
            self.source = source
            self.text = source.text
            self.delimiter = delimiter
        }

        /// Reads the next record; false at the end of the file.
        mutating func scan(into record: inout CSVRecord) throws(CSVProblem) -> Bool {
            guard try skipBlankLines() else { return false }
            bitsSeen = 0
            hasNUL = false
            record.begin(line: line)
            while true {
                let ending = try scanField(into: &record)
                try record.endField()
                if ending == .record { break }
                try record.beginField()
            }
            record.end(bitsSeen: bitsSeen, hasNUL: hasNUL)
            return true
        }

        /// Moves the cursor to the first byte of a record; false at the end of the file.
        private mutating func skipBlankLines() throws(CSVProblem) -> Bool {
            while try hasText() {
                switch text[cursor] {
                case Self.lineFeed:
                    if !isAfterCarriageReturn { line += 1 }
                    isAfterCarriageReturn = false
                case Self.carriageReturn:
                    line += 1
                    isAfterCarriageReturn = true
                default:
                    isAfterCarriageReturn = false
                    return true
                }
                cursor += 1
            }
            return false
        }

        private mutating func scanField(into record: inout CSVRecord) throws(CSVProblem) -> Ending {
            if try hasText(), text[cursor] == Self.quote {
                cursor += 1
                let fieldLine = line
                try scanQuoted(into: &record, fieldLine: fieldLine)
                return try scanPlain(into: &record, fieldLine: fieldLine)
            }
            return try scanPlain(into: &record, fieldLine: line)
        }

        /// Reads up to the delimiter, the line end or the end of the file that ends the field.
        private mutating func scanPlain(
            into record: inout CSVRecord, fieldLine: Int
        ) throws(CSVProblem) -> Ending {
            while try hasRoom(in: &record, fieldLine: fieldLine) {
                guard let byte = copyRun(until: delimiter, into: &record) else { continue }
                switch byte {
                case delimiter:
                    cursor += 1
                    return .delimiter
                case Self.lineFeed, Self.carriageReturn:
                    cursor += 1
                    line += 1
                    isAfterCarriageReturn = byte == Self.carriageReturn
                    return .record
                default:
                    copy(byte, into: &record)
                }
            }
            return .record
        }

        /// Reads up to the closing quote and past it.
        private mutating func scanQuoted(
            into record: inout CSVRecord, fieldLine: Int
        ) throws(CSVProblem) {
            while try hasRoom(in: &record, fieldLine: fieldLine) {
                guard let byte = copyRun(until: Self.quote, into: &record) else { continue }
                switch byte {
                case Self.quote:
                    cursor += 1
                    guard try hasText(), text[cursor] == Self.quote else { return }
                case Self.lineFeed:
                    let isHalf =
                        record.bytesCount > record.fieldStart
                        && record.bytes[record.bytesCount - 1] == Self.carriageReturn
                    if !isHalf { line += 1 }
                case Self.carriageReturn:
                    line += 1
                default:
                    break
                }
                copy(byte, into: &record)
            }
            throw .quoteNotClosed(line: fieldLine)
        }

        /// Copies bytes to the record until it meets `stop` or a control character up to CR, which it returns
        /// and does not pass; nil when text or room ran out first.
        @inline(__always)
        private mutating func copyRun(until stop: UInt8, into record: inout CSVRecord) -> UInt8? {
            let start = cursor
            let target = record.bytes + record.bytesCount
            let cellRoom = CSVReader.cellBytesMax + 1 - (record.bytesCount - record.fieldStart)
            let count = min(textEnd - start, record.bytesCapacity - record.bytesCount, cellRoom)
            var bits = bitsSeen
            var index = 0
            while index < count {
                let byte = text[start + index]
                if byte == stop || byte <= Self.carriageReturn { break }
                target[index] = byte
                bits |= byte
                index += 1
            }
            bitsSeen = bits
            cursor = start + index
            record.bytesCount += index
            return index < count ? text[cursor] : nil
        }

        /// Copies the one byte at the cursor. `copyRun` stopped before it, so there is room for it.
        @inline(__always)
        private mutating func copy(_ byte: UInt8, into record: inout CSVRecord) {
            if byte == 0 { hasNUL = true }
            record.bytes[record.bytesCount] = byte
            record.bytesCount += 1
            cursor += 1
        }

        /// Whether the field can go on: it keeps the limits, and the file has not ended.
        @inline(__always)
        private mutating func hasRoom(
            in record: inout CSVRecord, fieldLine: Int
        ) throws(CSVProblem) -> Bool {
            if record.bytesCount - record.fieldStart > CSVReader.cellBytesMax {
                throw .cellTooLong(
                    line: fieldLine, column: record.count + 1, bytesMax: CSVReader.cellBytesMax)
            }
            if record.bytesCount == record.bytesCapacity { try record.growBytes() }
            return try hasText()
        }

        /// Whether there is a byte at the cursor; reads on in the file when the text at hand is used up.
        @inline(__always)
        private mutating func hasText() throws(CSVProblem) -> Bool {
            if cursor < textEnd { return true }
            textEnd = try source.fill()
            cursor = 0
            return textEnd > 0
        }
    }
}
