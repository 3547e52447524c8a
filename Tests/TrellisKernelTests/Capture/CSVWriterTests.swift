import Foundation
import Testing

@testable import TrellisKernel

struct CSVWriterTests {
    private func written(_ fields: [String], by writer: CSVWriter = CSVWriter()) -> String {
        var buffer: [UInt8] = []
        writer.append(fields, to: &buffer)
        return String(decoding: buffer, as: UTF8.self)
    }

    @Test func `plain fields are written without quotes`() {
        #expect(written(["a", "", "b c"]) == "a,,b c\n")
    }

    @Test func `a field with a delimiter, a quote or a line end is quoted`() {
        #expect(written(["a,b", "a\"b", "a\nb", "a\rb"]) == "\"a,b\",\"a\"\"b\",\"a\nb\",\"a\rb\"\n")
    }

    @Test func `only the delimiter in use asks for quotes`() {
        let writer = CSVWriter(delimiter: UInt8(ascii: ";"))
        #expect(written(["a,b", "a;b"], by: writer) == "a,b;\"a;b\"\n")
    }

    @Test func `records end with CR and LF on demand`() {
        #expect(written(["a", "b"], by: CSVWriter(lineEnd: .carriageReturnLineFeed)) == "a,b\r\n")
    }

    @Test func `a record of one empty field is not a blank line`() {
        #expect(written([""]) == "\"\"\n")
    }

    @Test func `records are appended to what the buffer holds`() {
        var buffer = Array("x\n".utf8)
        CSVWriter().append(["y"], to: &buffer)
        #expect(buffer == Array("x\ny\n".utf8))
    }

    @Test func `a single field is appended from its bytes`() {
        var buffer: [UInt8] = []
        let writer = CSVWriter()
        Array("a\"b".utf8).withUnsafeBufferPointer { writer.appendField($0, to: &buffer) }
        writer.appendDelimiter(to: &buffer)
        [UInt8](arrayLiteral: 0xFF).withUnsafeBufferPointer { writer.appendField($0, to: &buffer) }
        writer.appendLineEnd(to: &buffer)
        #expect(buffer == Array("\"a\"\"b\",".utf8) + [0xFF, 0x0A])
    }

    @Test(arguments: [
        "=1+1", "+cmd", "-1+1", "@SUM(A1)", "\tx", "-", "+", "-1.2.3", "+49 170", "＝1", "＋1", "－1", "＠x", "'=1", "''@x",
    ])
    func `a formula is defused when the writer is safe`(field: String) {
        #expect(written([field], by: CSVWriter(safe: true)) == "'\(field)\n")
        #expect(written([field]) == "\(field)\n")
    }

    @Test(arguments: ["=A1,B1", "\r=1", "\n=1", "=\"x\""])
    func `a formula that needs quotes is defused inside of them`(field: String) {
        let doubled = field.replacing("\"", with: "\"\"")
        #expect(written([field], by: CSVWriter(safe: true)) == "\"'\(doubled)\"\n")
    }

    @Test(arguments: ["-12.5", "+4917012345", "+1", "-.5", "a=b", "'a", "'", "'+1", "12", "", "Ａ", "ada@example.org"])
    func `what a spreadsheet does not calculate is left alone`(field: String) {
        #expect(written([field, "x"], by: CSVWriter(safe: true)) == "\(field),x\n")
    }
}
