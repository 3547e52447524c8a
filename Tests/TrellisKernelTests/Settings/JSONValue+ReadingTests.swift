import Foundation
import Testing

@testable import TrellisKernel

@Suite struct JSONValueReadingTests {
    // MARK: - Documents

    @Test(arguments: [
        ("null", JSONValue.null), ("true", .bool(true)), ("false", .bool(false)), ("0", .integer(0)),
        ("1", .integer(1)), ("-17", .integer(-17)), ("9223372036854775807", .integer(.max)), ("1.5", .number(1.5)),
        ("1e300", .number(1e300)), (#""""#, .string("")), (#""Gr\u00fcn \ud83c\udf31""#, .string("Grün 🌱")),
        ("[]", .array([])), ("[1,[true]]", .array([.integer(1), .array([.bool(true)])])), ("{}", .object([])),
        (" {\"a\" : [ ] }\n", .object([("a", .array([]))])),
    ])
    func `a document is read as what it is`(_ text: String, _ value: JSONValue) {
        #expect(JSONValue(parsing: text) == value)
    }

    @Test func `a flag is no number and a number no flag`() {
        #expect(JSONValue(parsing: "[true,1,false,0]")?.text() == "[true,1,false,0]")
    }

    @Test func `the keys of an object come in their order, whichever way they were written`() {
        let value = JSONValue(parsing: #"{"b":2,"a":{"d":4,"c":3}}"#)
        #expect(value?.text() == #"{"a":{"c":3,"d":4},"b":2}"#)
    }

    @Test(arguments: ["", " ", "{", "[1 2]", "{'a':1}", "nul", "\"", "1 2", "{\"a\":1}}", "{a:1}"])
    func `what is no document is none`(_ text: String) {
        #expect(JSONValue(parsing: text) == nil)
    }

    @Test func `a document of brackets alone ends nothing`() {
        #expect(JSONValue(parsing: String(repeating: "[", count: 100_000)) == nil)
        let deep = String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000)
        #expect(JSONValue(parsing: deep) == nil)
    }

    @Test(arguments: [
        JSONValue.array([.string("sales-plan"), .string("a\"b\\c\n\u{1}"), .null, .integer(17)]),
        .object([("a", .bool(false)), ("b", .number(0.1)), ("c", .string("é"))]),
    ])
    func `what is written is read again`(_ value: JSONValue) {
        #expect(JSONValue(parsing: value.text()) == value)
        #expect(JSONValue(parsing: value.text(isIndented: true)) == value)
    }

    // MARK: - Parts

    @Test func `the parts of a document are asked for by key and in their order`() {
        let value = JSONValue(parsing: #"{"leads":[{"id":1},{"id":2}],"next":null}"#)
        #expect(value?["leads"]?.elements.compactMap { $0["id"]?.scalarText } == ["1", "2"])
        #expect(value?["next"] == .null)
        #expect(value?["none"] == nil)
        #expect(value?.elements == [])
        #expect(value?["leads"]?["id"] == nil)
        #expect(JSONValue.string("text")["id"] == nil)
    }

    @Test(
        arguments: [
            (JSONValue.string("a"), "a"), (.string(""), ""), (.integer(-3), "-3"), (.number(1.5), "1.5"),
            (.bool(true), "true"), (.bool(false), "false"), (.null, nil), (.array([.integer(1)]), nil),
            (.object([]), nil),
        ] as [(JSONValue, String?)])
    func `a text, a number and a flag have a text`(_ value: JSONValue, _ text: String?) {
        #expect(value.scalarText == text)
    }

    @Test func `a value of the database is read by its kind`() {
        #expect(JSONValue(DatabaseValue.null) == .null)
        #expect(JSONValue(7.databaseValue) == .integer(7))
        #expect(JSONValue(1.5.databaseValue) == .number(1.5))
        #expect(JSONValue("a".databaseValue) == .string("a"))
        #expect(JSONValue(Array("é".utf8).withUnsafeBytes { Data($0) }.databaseValue) == .string("é"))
    }
}
