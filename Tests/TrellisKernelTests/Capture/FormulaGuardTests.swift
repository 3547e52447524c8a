import Foundation
import Testing

@testable import TrellisKernel

struct FormulaGuardTests {
    @Test func `what is written safely and read again is what it was`() throws {
        let pieces = ["'", "=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "1", ".", "a", " ", ",", "\""]
        let writer = CSVWriter(safe: true)
        var texts = [""]
        for _ in 0..<3 { texts = [""] + texts.flatMap { text in pieces.map { $0 + text } } }
        for text in texts {
            var buffer: [UInt8] = []
            writer.append([text, "x"], to: &buffer)
            let isGuarded = buffer.first == FormulaGuard.mark || buffer.starts(with: Array("\"'".utf8))
            #expect(isGuarded == (FormulaGuard.guards(text) || text.utf8.first == FormulaGuard.mark))
            let written = FormulaGuard.guards(text) ? "'" + text : text
            #expect(FormulaGuard.removed(from: written) == text)
            #expect(!written.hasPrefix("=") && !written.hasPrefix("@") && !written.hasPrefix("＝"))
        }
    }

    @Test(arguments: ["'", "'a", "'12", "'+49170", "' =1", " '=1", "=1", "x'=1", "’=1", ""])
    func `nothing but the mark before a formula is taken away`(text: String) {
        #expect(FormulaGuard.removed(from: text) == text)
    }

    @Test func `a file that was written safely is read by the reader as it was`() throws {
        let texts = ["=1+1", "'=1+1", "@a", "\t=1", "＝1", "-cmd|' /C calc'!A0", "'quoted'", "-5", "a,b", "=\"x\"\n"]
        var buffer: [UInt8] = []
        let writer = CSVWriter(safe: true)
        writer.append(["number", "text"], to: &buffer)
        for (number, text) in texts.enumerated() { writer.append([String(number), text], to: &buffer) }
        let path = NSTemporaryDirectory() + "formulas-\(UUID().uuidString).csv"
        try Data(buffer).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let reader = try CSVReader(path: path)
        var found: [String] = []
        while let row = try reader.next() { found.append(FormulaGuard.removed(from: row.text(1))) }
        #expect(found == texts)
    }
}
