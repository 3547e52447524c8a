import Foundation
import Testing

@testable import TrellisKernel

/// A file that lives as long as this value.
private final class TemporaryFile {
    let path: String

    init(_ bytes: [UInt8]) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).csv")
        try Data(bytes).write(to: url)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// A file read from end to end.
private struct Document: Equatable {
    var header: [String] = []
    var rows: [[String]] = []
    var lines: [Int] = []
    var areValid: [Bool] = []
    var delimiter: UInt8 = 0
    var encoding = TextEncoding.utf8

    init(
        _ bytes: [UInt8], delimiter: UInt8? = nil, encoding: TextEncoding? = nil,
        chunkBytes: Int = CSVReader.chunkBytes
    ) throws {
        let file = try TemporaryFile(bytes)
        let reader = try CSVReader(
            path: file.path, delimiter: delimiter, encoding: encoding, chunkBytes: chunkBytes)
        header = reader.header
        self.delimiter = reader.delimiter
        self.encoding = reader.encoding
        while let row = try reader.next() {
            rows.append((0..<row.count).map(row.text))
            lines.append(row.line)
            areValid.append(row.isValidText)
            guard row.number == rows.count else { throw Misnumbered() }
        }
        guard reader.bytesRead == reader.bytesTotal else { throw Misnumbered() }
    }

    init(_ text: String, delimiter: UInt8? = nil, chunkBytes: Int = CSVReader.chunkBytes) throws {
        try self.init(Array(text.utf8), delimiter: delimiter, chunkBytes: chunkBytes)
    }

    struct Misnumbered: Error {}
}

/// A generator that gives the same numbers in every run. Source: SplitMix64, Steele et al. 2014.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

struct CSVReaderTests {
    @Test func `fields, header and lines are read`() throws {
        let document = try Document("name, email \nAda,ada@example.org\nZoë,\n")
        #expect(document.header == ["name", "email"])
        #expect(document.rows == [["Ada", "ada@example.org"], ["Zoë", ""]])
        #expect(document.lines == [2, 3])
        #expect(document.areValid == [true, true])
    }

    @Test func `an embedded newline stays in its field and counts as a line`() throws {
        let document = try Document("a,b\n\"x\ny\r\nz\rw\",2\n3,4\n")
        #expect(document.rows == [["x\ny\r\nz\rw", "2"], ["3", "4"]])
        #expect(document.lines == [2, 6])
    }

    @Test func `a doubled quote is one quote`() throws {
        #expect(try Document("a\n\"say \"\"hi\"\"\"\n\"\"\"\"\n").rows == [["say \"hi\""], ["\""]])
    }

    @Test func `a quote in the middle of a field is kept`() throws {
        #expect(try Document("a,b\n5\" pipe,x \"y\"\n").rows == [["5\" pipe", "x \"y\""]])
    }

    @Test func `text after a closing quote is kept`() throws {
        #expect(try Document("a,b\n\"x\"y,\"x\" \"y\"\n").rows == [["xy", "x \"y\""]])
    }

    @Test(arguments: ["\n", "\r\n", "\r", "\r\n\r\n", "\n\n", "\r\r"])
    func `every line end parts records and blank lines are skipped`(lineEnd: String) throws {
        for chunkBytes in [1, 2, 3, 64] {
            let text = ["a,b", "1,2", "3,4", ""].joined(separator: lineEnd)
            let document = try Document(text, chunkBytes: chunkBytes)
            #expect(document.header == ["a", "b"])
            #expect(document.rows == [["1", "2"], ["3", "4"]])
            let step = text.contains("\r\n") ? lineEnd.utf8.count / 2 : lineEnd.utf8.count
            #expect(document.lines == [1 + step, 1 + 2 * step])
        }
    }

    @Test func `the last record needs no line end`() throws {
        #expect(try Document("a,b\n1,2").rows == [["1", "2"]])
        #expect(try Document("a,b\n1,").rows == [["1", ""]])
        #expect(try Document("a,b\n1,\"2\"").rows == [["1", "2"]])
    }

    @Test func `a quoted empty field alone is a record`() throws {
        #expect(try Document("a\n\"\"\n\nx\n").rows == [[""], ["x"]])
    }

    @Test func `short rows lack fields and long rows have an excess`() throws {
        let file = try TemporaryFile(Array("a,b,c\n1\n1,2,3,4,5\n".utf8))
        let reader = try CSVReader(path: file.path)
        let short = try #require(try reader.next())
        #expect((short.count, short.excess) == (1, 0))
        #expect(!short.isEmpty(0) && short.isEmpty(1) && short.isEmpty(-1))
        #expect(short.text(2).isEmpty)
        #expect(short.withUTF8(2) { $0.count } == 0)
        let long = try #require(try reader.next())
        #expect((long.count, long.excess, long.text(4)) == (5, 2, "5"))
        #expect(try reader.next() == nil)
        #expect(try reader.next() == nil)
    }

    @Test func `a row that is kept stays as it is`() throws {
        let file = try TemporaryFile(Array("a,b\n1,2\n3,4\n5,6\n".utf8))
        let reader = try CSVReader(path: file.path)
        var rows: [CSVRow] = []
        while let row = try reader.next() { rows.append(row) }
        #expect(rows.map { [$0.text(0), $0.text(1)] } == [["1", "2"], ["3", "4"], ["5", "6"]])
        #expect(rows.map(\.number) == [1, 2, 3])
    }

    @Test func `a column without a name is named after its position`() throws {
        #expect(try Document("a,, \t \n1,2,3\n").header == ["a", "column 2", "column 3"])
    }

    @Test(arguments: [
        ("a,b;c,d", ","), ("a;b,c;d", ";"), ("a\tb", "\t"), ("a|b", "|"), ("a", ","),
        ("\"x,y,z\";b", ";"), ("\n\na;b", ";"), ("5\" a,b;c;d", ";"),
    ])
    func `the delimiter is found in the header`(header: String, delimiter: String) throws {
        #expect(try [Document(header + "\n1\n").delimiter] == Array(delimiter.utf8))
    }

    @Test func `a delimiter that is given wins`() throws {
        #expect(try Document("a;b,c\n", delimiter: UInt8(ascii: ",")).header == ["a;b", "c"])
    }

    @Test(arguments: ["sep=;\r\n", "\u{FEFF}sep=;\n", "\"sep=;\"\n", "SEP=;\r"], [1, 64])
    func `a first line that names the delimiter is honoured`(first: String, chunkBytes: Int) throws {
        let document = try Document(first + "a,b;c\n1;2\n", chunkBytes: chunkBytes)
        #expect(document.header == ["a,b", "c"])
        #expect(document.rows == [["1", "2"]])
        #expect(document.lines == [3])
    }

    @Test func `a delimiter that is given wins over the line that names one, which is skipped`() throws {
        #expect(try Document("sep=;\na,b\n", delimiter: UInt8(ascii: ",")).header == ["a", "b"])
    }

    @Test func `a header that only begins like a delimiter line is a header`() throws {
        #expect(try Document("sep=,b\n").header == ["sep=", "b"])
        #expect(try Document("sep=\n").header == ["sep="])
    }

    @Test func `all four encodings give the same text`() throws {
        let text = "name;city\nZoë;Köln €\n"
        let units = Array(text.utf16)
        let little = units.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        let big = units.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        let narrow = text.unicodeScalars.map { $0 == "€" ? 0x80 : UInt8(truncatingIfNeeded: $0.value) }
        let files: [(TextEncoding, [UInt8])] = [
            (.utf8, Array(text.utf8)), (.utf8, [0xEF, 0xBB, 0xBF] + Array(text.utf8)),
            (.utf16LittleEndian, [0xFF, 0xFE] + little), (.utf16BigEndian, [0xFE, 0xFF] + big),
            (.windows1252, narrow),
        ]
        for (encoding, bytes) in files {
            for chunkBytes in [1, 2, 3, 7, 4096] {
                let document = try Document(bytes, chunkBytes: chunkBytes)
                #expect(document.header == ["name", "city"])
                #expect(document.rows == [["Zoë", "Köln €"]])
                #expect(document.areValid == [true])
                #expect(document.encoding == encoding)
                #expect(try Document(bytes, encoding: encoding, chunkBytes: chunkBytes) == document)
            }
        }
    }

    @Test func `a character cut at the end of the sample does not hide that a file is UTF-8`() throws {
        for shift in 0..<4 {
            let filler = String(repeating: "x", count: CSVReader.sampleBytes - 4 + shift)
            let document = try Document("a\n\(filler)🌱\n")
            #expect(document.encoding == .utf8)
            #expect(document.rows == [[filler + "🌱"]])
        }
    }

    @Test func `broken UTF-8 after the sample is the fault of its row alone`() throws {
        let filler = String(repeating: "x\n", count: CSVReader.sampleBytes / 2)
        let document = try Document(Array("a\n\(filler)".utf8) + [0x7A, 0xEB, 0x0A] + Array("ok\n".utf8))
        #expect(document.encoding == .utf8)
        #expect(Array(document.areValid.suffix(3)) == [true, false, true])
    }

    @Test func `half a surrogate pair and NUL make a row invalid`() throws {
        #expect(try Document(Array("a\nx".utf8) + [0x00, 0x0A, 0x79, 0x0A]).areValid == [false, true])
        let halves: [UInt8] = [0xFF, 0xFE, 0x61, 0, 0x0A, 0, 0x3D, 0xD8, 0x0A, 0, 0x62, 0, 0x0A, 0]
        #expect(try Document(halves).areValid == [false, true])
    }

    @Test func `two broken fields do not make a valid one`() throws {
        let bytes = Array("a,b\n".utf8) + [0xC3, 0x2C, 0xA9, 0x0A]
        #expect(try Document(bytes, encoding: .utf8).areValid == [false])
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 11, 16, 31])
    func `chunk borders change nothing`(chunkBytes: Int) throws {
        let text = #"""
            \#u{FEFF}name,"the ""note""",city\#r
            "Zoë, ""Zo""\#r\#n🌱",,"x"y\#r
            \#r
            5" pipe,"",\#r"last one",a,b,c
            """#
        #expect(try Document(text, chunkBytes: chunkBytes) == Document(text))
        #expect(try Document(text).rows.count == 3)
    }

    @Test func `a pipe has no size and is read to its end`() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("a,b\n1,2\n".utf8))
        try pipe.fileHandleForWriting.close()
        let reader = try CSVReader(path: "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)")
        #expect(reader.bytesTotal == 0)
        #expect(try reader.next()?.text(1) == "2")
        #expect(try reader.next() == nil)
        #expect(reader.bytesRead == 8)
    }

    @Test func `what the writer writes the reader reads`() throws {
        let pieces = ["a", "ß", "🌱", "\"", "\"\"", ",", ";", "\n", "\r", "\r\n", "\t", " ", "'", "=", "x y"]
        var generator = SeededGenerator(state: 7)
        for delimiter in ",;\t|".utf8 {
            for lineEnd in [CSVWriter.LineEnd.lineFeed, .carriageReturnLineFeed] {
                let writer = CSVWriter(delimiter: delimiter, lineEnd: lineEnd)
                var buffer: [UInt8] = []
                writer.append(["one", "two"], to: &buffer)
                let records = (0..<300).map { _ in
                    (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                        let count = Int.random(in: 0...6, using: &generator)
                        return (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
                    }
                }
                for record in records { writer.append(record, to: &buffer) }
                let chunkBytes = Int.random(in: 1...50, using: &generator)
                #expect(try Document(buffer, chunkBytes: chunkBytes).rows == records)
            }
        }
    }

    @Test func `random bytes end in rows or in a problem`() throws {
        let alphabet = Array("\"\",,;\t|\r\n\n a=é".utf8) + [0x00, 0xFF, 0xFE, 0xEF, 0xBB, 0xBF, 0xD8, 0x3D]
        var generator = SeededGenerator(state: 11)
        var outcomes: Set<Bool> = []
        for round in 0..<10_000 {
            let count = Int.random(in: 0...120, using: &generator)
            let bytes: [UInt8] = (0..<count).map { _ in
                round.isMultiple(of: 2)
                    ? UInt8.random(in: 0...255, using: &generator)
                    : alphabet.randomElement(using: &generator) ?? 0
            }
            let choices: [TextEncoding?] = [nil, nil, nil] + TextEncoding.allCases
            let encoding = choices.randomElement(using: &generator) ?? nil
            do {
                _ = try Document(bytes, encoding: encoding, chunkBytes: 1 + round % 40)
                outcomes.insert(true)
            } catch is CSVProblem {
                outcomes.insert(false)
            }
        }
        #expect(outcomes == [true, false])
    }
}

/// What the reader refuses.
struct CSVReaderRefusalTests {
    private func problem(in bytes: [UInt8], encoding: TextEncoding? = nil) throws -> CSVProblem? {
        do {
            _ = try Document(bytes, encoding: encoding)
            return nil
        } catch let problem as CSVProblem {
            return problem
        }
    }

    private func problem(in text: String) throws -> CSVProblem? {
        try problem(in: Array(text.utf8))
    }

    @Test func `a quote that is not closed names the line where it was opened`() throws {
        #expect(try problem(in: "a\nx\n\"y\nz\n") == .quoteNotClosed(line: 3))
        #expect(try problem(in: "a,b\nx,\"") == .quoteNotClosed(line: 2))
        #expect(try problem(in: "a,b\n\"1\n2\",\"y\n") == .quoteNotClosed(line: 3))
    }

    @Test func `two columns of one name are refused with both positions`() throws {
        let twice = CSVProblem.columnNameTwice(line: 2, name: "b", first: 2, second: 3)
        #expect(try problem(in: "\na,b, b\n") == twice)
        let taken = CSVProblem.columnNameTwice(line: 1, name: "column 2", first: 1, second: 2)
        #expect(try problem(in: "column 2,\n") == taken)
    }

    @Test func `a file without text is empty`() throws {
        for bytes in [[], [0xEF, 0xBB, 0xBF], [0x0A, 0x0D], [0xFF, 0xFE], Array("sep=;\n".utf8)] {
            guard case .fileEmpty = try problem(in: bytes) else {
                Issue.record("\(bytes) should be empty")
                continue
            }
        }
    }

    @Test func `a folder, a missing file and one that may not be opened are told apart`() {
        #expect(throws: CSVProblem.fileIsDirectory(path: "/tmp")) { try CSVReader(path: "/tmp") }
        #expect(throws: CSVProblem.fileMissing(path: "/no/such.csv")) { try CSVReader(path: "/no/such.csv") }
        let path = String(repeating: "x", count: 300)
        let refused = CSVProblem.fileUnreadable(path: path, code: ENAMETOOLONG)
        #expect(throws: refused) { try CSVReader(path: path) }
    }

    @Test func `a header that is not text is refused`() throws {
        let zipped: [UInt8] = [0x50, 0x4B, 0x03, 0x04, 0x14, 0x00, 0x0A]
        #expect(try problem(in: zipped) == .headerNotText(line: 1, encoding: .utf8))
        #expect(try problem(in: [0xEB], encoding: .utf8) == .headerNotText(line: 1, encoding: .utf8))
    }

    @Test(arguments: [0x00, 0x0A, 0x0D, 0x22, 0x80] as [UInt8])
    func `a byte that cannot part fields is refused`(byte: UInt8) {
        #expect(throws: CSVProblem.delimiterUnusable(byte: byte)) {
            try Document("a\n", delimiter: byte)
        }
    }

    @Test func `a cell may be as long as the limit and no longer`() throws {
        let most = String(repeating: "x", count: CSVReader.cellBytesMax)
        let refused = CSVProblem.cellTooLong(line: 2, column: 2, bytesMax: CSVReader.cellBytesMax)
        for quote in ["", "\""] {
            let accepted = try Document("a,b\n1,\(quote)\(most)\(quote)\n")
            #expect(accepted.rows == [["1", most]])
            #expect(try problem(in: "a,b\n1,\(quote)\(most)x\(quote)\n") == refused)
        }
    }

    @Test func `a record may be as wide as the limit and no wider`() throws {
        let most = String(repeating: ",", count: CSVReader.columnsMax - 1)
        #expect(try Document("a\n\(most)\n", delimiter: UInt8(ascii: ",")).rows.map(\.count) == [1000])
        #expect(try problem(in: "a\n\(most),\n") == .columnsTooMany(line: 2, columnsMax: 1000))
    }

    @Test func `a record may be as long as the limit and no longer`() throws {
        let cell = String(repeating: "x", count: CSVReader.cellBytesMax)
        let rest = String(repeating: "x", count: CSVReader.cellBytesMax - 9)
        let most = (Array(repeating: cell, count: 7) + ["x", rest]).joined(separator: ",")
        #expect(most.utf8.count == CSVReader.recordBytesMax)
        #expect(try Document("a,b\n\(most)\n").rows.map(\.count) == [9])
        let refused = CSVProblem.recordTooLong(line: 2, bytesMax: CSVReader.recordBytesMax)
        #expect(try problem(in: "a,b\n\(most)x\n") == refused)
    }

    @Test func `a reader that met a problem throws it again`() throws {
        let file = try TemporaryFile(Array("a\n1\n\"2\n".utf8))
        let reader = try CSVReader(path: file.path)
        #expect(try reader.next()?.text(0) == "1")
        for _ in 0..<2 {
            #expect(throws: CSVProblem.quoteNotClosed(line: 3)) { try reader.next() }
        }
    }
}
