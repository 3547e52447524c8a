import Testing

@testable import TrellisKernel

struct JSONFormTests {
    private func read(_ body: String) throws(BodyProblem) -> [String] {
        let fields = try FormBody.read(Array(body.utf8), contentType: "application/json")
        return fields.pairs.map { "\($0.name)=\($0.value)" }
    }

    private func problem(_ body: String) -> BodyProblem? {
        do throws(BodyProblem) {
            _ = try read(body)
            return nil
        } catch {
            return error
        }
    }

    // MARK: - What is read

    @Test func `a flat object is read in its order`() throws {
        let body = """
             {"email": "nora@example.com" , "seats":12,"yes":true,"no" : false, "none":null,
             "tags":["b", "a"], "nobody": [ ] }
            """
        #expect(
            try read(body) == ["email=nora@example.com", "seats=12", "yes=true", "no=false", "tags=b", "tags=a"])
    }

    @Test(arguments: ["{}", " { } ", "\u{FEFF}{}", "\t{\r\n}\n", "{\"a\":null}", "{\"a\":[]}"])
    func `an object may have nothing to say`(body: String) throws {
        #expect(try read(body).isEmpty)
    }

    @Test(arguments: ["0", "-0", "12", "-1.50", "0.1", "1e5", "1E+05", "2.5e-3", "123456789012345678901234567890"])
    func `a number becomes its digits as they were written`(number: String) throws {
        #expect(try read("{\"a\":\(number)}") == ["a=\(number)"])
        #expect(try read("{\"a\": \(number) ,\"b\":\(number)}") == ["a=\(number)", "b=\(number)"])
    }

    @Test(
        arguments: [
            (#"\"\\\/"#, "\"\\/"), (#"a\tb\nc\rd"#, "a\tb\nc\rd"), (#"\u0041\u00e9\u00E9\u263A"#, "Aéé☺"),
            (#"\uD83C\uDF3E"#, "🌾"), (#"\ud83c\udf3e"#, "🌾"), (#"\uDBFF\uDFFD"#, "\u{10FFFD}"), ("é🌾", "é🌾"),
            (#"\\u0041"#, #"\u0041"#), ("", ""), ("\u{A0}\u{2028}", "\u{A0}\u{2028}"), (#"\uFEFFa"#, "a"),
        ])
    func `escapes are read`(written: String, text: String) throws {
        #expect(try read("{\"a\":\"\(written)\",\"b\":[\"\(written)\"]}") == ["a=\(text)", "b=\(text)"])
        #expect(try read("{\"n\\u0061me\":1}") == ["name=1"])
    }

    // MARK: - What is refused

    @Test(
        arguments: [
            ("", 0, "'{'"), ("[]", 0, "'{'"), ("\"a\"", 0, "'{'"), ("null", 0, "'{'"),
            ("{", 1, "the name of a field in quotes"),
            ("{a:1}", 1, "the name of a field in quotes"), ("{'a':1}", 1, "the name of a field in quotes"),
            ("{\"a\"}", 4, "':'"), ("{\"a\":}", 5, "a value"), ("{\"a\":1", 6, "',' or '}'"),
            ("{\"a\":1,}", 7, "the name of a field in quotes"), ("{\"a\":1}x", 7, "the end"), ("{}{}", 2, "the end"),
            ("{\"a\":1 \"b\":2}", 7, "',' or '}'"), ("{\"a\":True}", 5, "a value"), ("{\"a\":NaN}", 5, "a value"),
            ("{\"a\":nul}", 5, "a value"), ("{\"a\":truex}", 9, "',' or '}'"), ("{\"a\":+1}", 5, "a value"),
            ("{\"a\":01}", 6, "',' or '}'"), ("{\"a\":-}", 6, "a digit"), ("{\"a\":1.}", 7, "a digit"),
            ("{\"a\":.5}", 5, "a value"), ("{\"a\":1e}", 7, "a digit"), ("{\"a\":0x1}", 6, "',' or '}'"),
            ("{\"a\":[\"b\"}", 9, "',' or ']'"), ("{\"a\":[\"b\",]}", 10, "a text"), ("{\"a\":[", 6, "a text"),
            ("{\"a\":\"b}", 8, "'\"'"), ("{\"a\":\"\\", 7, "the rest of an escape"),
            ("{\"a\":\"\\x\"}", 7, "one of \" \\ / b f n r t u after a backslash"),
            ("{\"a\":\"\\u12G4\"}", 10, "four hexadecimal digits"), ("{\"a\":\"\\u12", 10, "four hexadecimal digits"),
            ("{\"a\":\"\n\"}", 6, "control characters to be written as \\u0000"), ("// x\n{}", 0, "'{'"),
            ("{\"a\":\"\\uD83C\"}", 6, "both halves of a surrogate pair"),
            ("{\"a\":\"\\uDF3E\"}", 6, "both halves of a surrogate pair"),
            ("{\"a\":\"\\uDF3E\\uD83C\"}", 6, "both halves of a surrogate pair"),
            ("{\"a\":\"\\uD83C\\uD83C\"}", 6, "both halves of a surrogate pair"),
            ("{\"a\":\"\\uDF3E\\uDF3E\"}", 6, "both halves of a surrogate pair"),
            ("{\"a\":\"\\uD83Cx\"}", 6, "both halves of a surrogate pair"),
            ("{\"\\uD83C\":1}", 2, "both halves of a surrogate pair"),
        ] as [(String, Int, String)])
    func `what is not JSON is refused with its place`(body: String, offset: Int, expected: String) {
        let sentence = "The JSON cannot be read at byte \(offset): expected \(expected)."
        #expect(problem(body) == BodyProblem(status: 400, description: sentence))
    }

    @Test(arguments: ["{}", "{\"b\":1}", "[[]]", "[1]", "[true]", "[null]", "[\"b\",{}]", "[\"b\",null]"])
    func `what is nested is refused`(value: String) {
        let sentence =
            "The field 'a' is neither a text, a number, a boolean, null nor an array of texts. "
            + "Send a flat object."
        #expect(problem("{\"a\":\(value)}") == BodyProblem(status: 400, description: sentence))
    }

    @Test(arguments: ["\"a\":1", "\"\\u0061\":1", "\"a\":null", "\"a\":[]"])
    func `a name that stands twice is refused`(field: String) {
        let sentence = "The field 'a' is in the JSON object twice. Send its texts as one array."
        #expect(problem("{\"a\":1,\(field)}") == BodyProblem(status: 400, description: sentence))
        #expect(problem("{\(field),\"b\":1,\"a\":2}") == BodyProblem(status: 400, description: sentence))
    }

    @Test func `names, texts and their number are checked as in any form`() {
        #expect(problem(#"{"a":"\u0000"}"#) == .valueWithControl("a"))
        #expect(problem(#"{"a":"\b"}"#) == .valueWithControl("a"))
        #expect(problem(#"{"a":["\u0085"]}"#) == .valueWithControl("a"))
        #expect(problem("{\"a\":\"\u{7F}\"}") == .valueWithControl("a"))
        #expect(problem(#"{"a\n":1}"#) == .nameWithControl)
        #expect(problem("{\"\(String(repeating: "n", count: 201))\":1}") == .nameTooLong)
        #expect(problem("{\"a\":\"\(String(repeating: "x", count: 65_537))\"}") == .valueTooLong("a"))
        #expect(problem("{\"a\":\(String(repeating: "1", count: 65_537))}") == .valueTooLong("a"))
        let texts = Array(repeating: "\"x\"", count: FormBody.fieldsMax).joined(separator: ",")
        #expect(problem("{\"a\":[\(texts)]}") == nil)
        #expect(problem("{\"a\":[\(texts),\"x\"]}") == .fieldsTooMany)
        let nulls = (0...FormBody.fieldsMax).map { "\"n\($0)\":null" }
        #expect(problem("{\(nulls.dropLast().joined(separator: ","))}") == nil)
        #expect(problem("{\(nulls.joined(separator: ","))}") == .fieldsTooMany)
    }

    @Test(arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xC3]] as [[UInt8]])
    func `a text that is not UTF-8 is refused`(bytes: [UInt8]) {
        let body = Array("{\"a\":\"".utf8) + bytes + Array("\"}".utf8)
        #expect(throws: BodyProblem.valueNotText("a")) { try FormBody.read(body, contentType: "application/json") }
    }
}
