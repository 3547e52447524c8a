import Testing

@testable import TrellisKernel

struct FormBodyTests {
    private let urlEncoded = "application/x-www-form-urlencoded"

    private func pairs(_ pairs: (String, String)...) -> WebFields {
        WebFields(pairs.map { WebFields.Pair(name: $0.0, value: $0.1) })
    }

    private func read(_ body: String, _ contentType: String?) throws -> WebFields {
        try FormBody.read(Array(body.utf8), contentType: contentType)
    }

    private func problem(_ body: [UInt8], _ contentType: String?) -> BodyProblem? {
        do throws(BodyProblem) {
            _ = try FormBody.read(body, contentType: contentType)
            return nil
        } catch {
            return error
        }
    }

    private func problem(_ body: String, _ contentType: String?) -> BodyProblem? {
        problem(Array(body.utf8), contentType)
    }

    // MARK: - Fields

    @Test func `fields keep their order and answer to their names`() throws {
        let fields = try read("tag=a&email=nora%40example.com&tag=b", urlEncoded)
        #expect(fields == pairs(("tag", "a"), ("email", "nora@example.com"), ("tag", "b")))
        #expect(fields["tag"] == "a")
        #expect(fields["phone"] == nil)
        #expect(fields.all("tag") == ["a", "b"])
        #expect(fields.all("phone").isEmpty)
        #expect(!fields.isEmpty && WebFields().isEmpty)
    }

    // MARK: - URL-encoded

    @Test(
        arguments: [
            ("", []), ("&&", []), ("a", [("a", "")]), ("a=", [("a", "")]), ("=b", [("", "b")]), ("=", [("", "")]),
            ("a=b=c", [("a", "b=c")]), ("&a=1&&b=2&", [("a", "1"), ("b", "2")]), ("a+b=c+d", [("a b", "c d")]),
            ("a=%2B%26%3D%25", [("a", "+&=%")]), ("%61=%c3%A9", [("a", "é")]), ("a=é", [("a", "é")]),
            ("a=%F0%9F%8C%BE", [("a", "🌾")]), ("a=1;b=2", [("a", "1;b=2")]),
        ] as [(String, [(String, String)])])
    func `a form is decoded as the URL standard says`(text: String, expected: [(String, String)]) throws {
        let fields = WebFields(expected.map { WebFields.Pair(name: $0.0, value: $0.1) })
        #expect(try read(text, urlEncoded) == fields)
        #expect(try FormBody.query(text) == fields)
    }

    @Test(arguments: ["100%", "%", "%4", "%zz", "%%34x", "%G1", "a%"])
    func `a percent sign that begins nothing stays`(text: String) throws {
        #expect(try FormBody.query("a=\(text)")["a"] == text.replacing("%34", with: "4"))
    }

    // MARK: - Content types

    @Test(arguments: [
        "application/x-www-form-urlencoded", "APPLICATION/X-WWW-Form-URLencoded",
        " application/x-www-form-urlencoded ; charset=UTF-8", "application/x-www-form-urlencoded;charset=\"utf-8\"",
        "application/x-www-form-urlencoded; charset=utf8", "application/x-www-form-urlencoded;",
        "application/x-www-form-urlencoded; v=\"a;\\\"b\"; charset=utf-8",
    ])
    func `a content type is read in any of its forms`(contentType: String) throws {
        #expect(try read("a=b", contentType) == pairs(("a", "b")))
    }

    @Test(arguments: [nil, "", "  "])
    func `no content type stands for no body`(contentType: String?) throws {
        #expect(try read("", contentType).isEmpty)
        let sentence =
            "The body comes without a content type. "
            + "Send application/x-www-form-urlencoded, multipart/form-data or application/json."
        #expect(problem("a=b", contentType) == BodyProblem(status: 415, description: sentence))
    }

    @Test(arguments: ["text/plain", "application/xml", "multipart/mixed; boundary=b", "application", "*/*"])
    func `another content type is refused`(contentType: String) {
        let sentence =
            "A body of this content type is not read here. "
            + "Send application/x-www-form-urlencoded, multipart/form-data or application/json."
        #expect(problem("a=b", contentType) == BodyProblem(status: 415, description: sentence))
    }

    @Test(arguments: [
        "application/json, text/html", "application/json; a", "application/json; a=", "application/json; a=\"b",
        "application/json; a=1; A=2", "application/json x", ";", "äpplication/json", "application/json; a=b c",
    ])
    func `a content type that is not written as one is refused`(contentType: String) {
        let sentence =
            "The content type is not written as one. "
            + "Send application/x-www-form-urlencoded, multipart/form-data or application/json."
        #expect(problem("{}", contentType) == BodyProblem(status: 400, description: sentence))
    }

    @Test(arguments: ["iso-8859-1", "utf-16", "\"windows-1252\"", "\"\"", "us-ascii"])
    func `another charset is refused`(charset: String) {
        let sentence = "The content type names a charset other than UTF-8. Send the text in UTF-8."
        for type in [urlEncoded, "application/json", "multipart/form-data; boundary=b"] {
            let expected = BodyProblem(status: 415, description: sentence)
            #expect(problem("", "\(type); charset=\(charset)") == expected)
        }
    }

    // MARK: - Text

    @Test(arguments: [
        "%FF", "%80", "%C0%80", "%C0%AF", "%E0%80%AF", "%ED%A0%80", "%ED%BF%BF", "%ED%A0%BD%ED%B8%80", "%F4%90%80%80",
        "%C3", "%E2%82", "%F8%88%80%80%80", "ok%E9",
    ])
    func `what is not UTF-8 is refused`(text: String) {
        let value = "The field 'note' is not UTF-8 text. Send it in UTF-8."
        #expect(problem("a=1&note=\(text)", urlEncoded) == BodyProblem(status: 400, description: value))
        let name = "The name of a field is not UTF-8 text. Send it in UTF-8."
        #expect(problem("\(text)=1", urlEncoded) == BodyProblem(status: 400, description: name))
    }

    @Test(arguments: Array(0x00...0x1F).filter { ![0x09, 0x0A, 0x0D].contains($0) } + Array(0x7F...0x9F))
    func `a control character is refused`(value: UInt32) throws {
        let character = try #require(Unicode.Scalar(value))
        let body = Array("note=a\(character)b".utf8)
        let sentence = "The field 'note' holds a control character. Only tabs and line ends may stand in a text."
        #expect(problem(body, urlEncoded) == BodyProblem(status: 400, description: sentence))
        #expect(problem(Array("a\(character)=1".utf8), urlEncoded)?.status == 400)
    }

    @Test func `tabs and line ends stand in a text but not in a name`() throws {
        #expect(try FormBody.query("a=%09x%0D%0Ay%0Az%0D&b=%C2%A0%E2%80%A8")["a"] == "\tx\r\ny\nz\r")
        for end in ["%09", "%0A", "%0D"] {
            let sentence = "The name of a field holds a control character. Leave it out."
            #expect(problem("a\(end)=1", urlEncoded) == BodyProblem(status: 400, description: sentence))
        }
    }

    @Test func `a byte order mark at the beginning is dropped`() throws {
        let fields = try FormBody.query("%EF%BB%BFa=%EF%BB%BFb%EF%BB%BF")
        #expect(fields.pairs.map { Array($0.value.unicodeScalars) } == [["b", "\u{FEFF}"]])
        #expect(fields.pairs.map { Array($0.name.utf8) } == [Array("a".utf8)])
    }

    @Test func `a pile of combining marks is refused`() {
        let sentence = "The field 'note' holds more than 30 combining marks in a row. Leave them out."
        let pile = String(repeating: "\u{301}", count: 31)
        #expect(problem("note=a\(pile)", urlEncoded) == BodyProblem(status: 400, description: sentence))
        #expect(problem("note=a\(pile.unicodeScalars.dropFirst())", urlEncoded) == nil)
    }

    @Test(arguments: [
        ("", "A field"), ("nora@example.com", "A field"), ("<b>", "A field"), ("a b", "A field"), ("{\"a\"", "A field"),
        ("\u{202E}a", "A field"), ("größe", "The field 'größe'"), ("tags[0].x-y_z:1", "The field 'tags[0].x-y_z:1'"),
    ])
    func `a sentence repeats a name only where it is a plain word`(name: String, subject: String) {
        #expect(problem("\(name)=%00", urlEncoded)?.description.hasPrefix("\(subject) holds") == true)
    }

    // MARK: - Limits

    @Test func `a body has at most so many bytes`() throws {
        let sentence = "The body holds more than 262144 bytes. Shorten its texts."
        let most = [UInt8](repeating: UInt8(ascii: "&"), count: FormBody.bytesMax)
        #expect(try FormBody.read(most, contentType: urlEncoded).isEmpty)
        for type in [urlEncoded, "text/plain", nil] {
            #expect(problem(most + [38], type) == BodyProblem(status: 413, description: sentence))
        }
        let query = "The query holds more than 262144 bytes. Send it as a form."
        #expect(throws: BodyProblem(status: 414, description: query)) {
            try FormBody.query(String(decoding: most, as: UTF8.self) + "&")
        }
    }

    @Test func `a form has at most so many fields`() throws {
        let most = String(repeating: "a=1&", count: FormBody.fieldsMax)
        #expect(try read(most, urlEncoded).pairs.count == FormBody.fieldsMax)
        let sentence = "There are more than 200 fields. Send fewer."
        #expect(problem(most + "a", urlEncoded) == BodyProblem(status: 400, description: sentence))
    }

    @Test func `names and texts have at most so many bytes when decoded`() throws {
        let name = String(repeating: "%61", count: FormBody.nameBytesMax)
        let value = String(repeating: "%C3%A9", count: FormBody.valueBytesMax / 2)
        let fields = try FormBody.query("\(name)=1&note=\(String(value.prefix(150_000)))")
        #expect(fields.pairs.first?.name.count == FormBody.nameBytesMax)
        let nameSentence = "The name of a field holds more than 200 bytes. Shorten it."
        #expect(problem("\(name)b=1", urlEncoded) == BodyProblem(status: 400, description: nameSentence))
        let text = String(repeating: "x", count: FormBody.valueBytesMax)
        #expect(try read("note=\(text)", urlEncoded)["note"] == text)
        let sentence = "The field 'note' holds more than 65536 bytes. Shorten its text."
        #expect(problem("note=\(text)x", urlEncoded) == BodyProblem(status: 400, description: sentence))
    }

    /// A reader of quadratic time needs minutes for these: 250,000 squared is 60,000,000,000.
    @Test(
        arguments: ["&", "%", "%4", "+", "=", "a=%41", "\r\n", "\r\n--b", "\r", "--b ", "[", "{\"a\":", "\"\\u00", " "])
    func `a body of any kind is read in linear time`(piece: String) {
        let flood = String(repeating: piece, count: 250_000 / piece.utf8.count)
        let header = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n"
        for (body, type) in [
            (flood, urlEncoded), (flood, "application/json"), ("{\"a\":\"\(flood)", "application/json"),
            (flood, "multipart/form-data; boundary=b"), (header + flood, "multipart/form-data; boundary=b"),
            ("--b\r\n\(flood)", "multipart/form-data; boundary=b"), ("", "\(urlEncoded); a=\"\(flood)"),
        ] {
            var status: Int?
            let took = ContinuousClock().measure { status = problem(body, type)?.status }
            #expect((status ?? 400) == 400)
            #expect(took < .seconds(60), "\(type)")
        }
    }
}
