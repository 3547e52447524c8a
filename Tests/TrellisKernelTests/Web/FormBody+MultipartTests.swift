import Testing

@testable import TrellisKernel

struct MultipartFormTests {
    private func read(_ body: String, boundary: String = "b") throws(BodyProblem) -> [String] {
        let fields = try FormBody.read(Array(body.utf8), contentType: "multipart/form-data; boundary=\(boundary)")
        return fields.pairs.map { "\($0.name)=\($0.value)" }
    }

    private func problem(_ body: String, boundary: String = "b") -> BodyProblem? {
        do throws(BodyProblem) {
            _ = try read(body, boundary: boundary)
            return nil
        } catch {
            return error
        }
    }

    /// A part with its delimiter, as a browser writes it.
    private func part(_ name: String, _ value: String, headers: String = "") -> String {
        "--b\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\(headers)\r\n\(value)\r\n"
    }

    // MARK: - What is read

    @Test func `a form of a browser is read`() throws {
        let body = part("email", "nora@example.com") + part("note", "a\r\nb\r\n") + part("tag", "") + "--b--\r\n"
        #expect(try read(body) == ["email=nora@example.com", "note=a\r\nb\r\n", "tag="])
    }

    @Test(arguments: ["--b--", "--b--\r\n", "--b-- \t", "preamble\r\n--b--\r\nepilogue", "\r\n--b--\r\n--b\r\nx"])
    func `a form without a part has no fields`(body: String) throws {
        #expect(try read(body).isEmpty)
    }

    @Test func `what stands before and after the parts is skipped`() throws {
        let body = "A preamble --b\r\n--bc\r\n\r\n" + part("a", "1") + "--b--\r\nAn epilogue\r\n" + part("a", "2")
        #expect(try read(body) == ["a=1"])
    }

    @Test func `spaces may follow a boundary`() throws {
        #expect(try read("--b \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b-- \r\n") == ["a=1"])
    }

    @Test(arguments: ["x--b", "x\r\n--bc", "\r\n-b", "x--b--\r\n", "a\n--b\nc", "a\r--b\rc", "\r\n--b x", "\r\n--B--"])
    func `only a line of its own is a boundary`(value: String) throws {
        #expect(try read(part("a", value) + "--b--\r\n") == ["a=\(value)"])
    }

    @Test func `a part may end with its header`() throws {
        #expect(try read("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b--") == ["a="])
    }

    @Test(
        arguments: [
            ("name=\"a\"", "a"), ("name=a", "a"), ("NAME = \"a\"", nil), (" Name=\"a\" ; x=y", "a"),
            ("name=\"a;b\"", "a;b"), ("name=\"a\\\"b\"", "a\"b"), ("name=\"a\\\\b\"", "a\\b"),
            ("name=\"a\\b\"", "a\\b"),
            ("name=\"é\"", "é"), ("name=\"a%22b\"", "a%22b"), ("name=\"\"", ""), ("name=\"a", nil), ("name=", nil),
            ("name=\"a\"b", nil), ("name=a; name=b", nil), ("x=y", nil), ("name=\"a\"\nx: y", nil),
        ] as [(String, String?)])
    func `a name is read as it was sent`(parameter: String, name: String?) throws {
        let body = "--b\r\ncontent-disposition:form-data;\(parameter)\r\n\r\n1\r\n--b--"
        if let name {
            #expect(try read(body) == ["\(name)=1"])
        } else {
            #expect(problem(body)?.status == 400)
        }
    }

    @Test(arguments: [
        "Content-Type: text/plain\r\n", "Content-Type: text/plain; charset=UTF-8\r\n", "content-type: text/html\r\n",
        "Content-Transfer-Encoding: 8bit\r\n", "X-Any: <\"\r\n", "Content-ID: <1@x>\r\n",
    ])
    func `other headers of a text change nothing`(header: String) throws {
        #expect(try read(part("a", "1", headers: header) + "--b--") == ["a=1"])
    }

    @Test(arguments: [
        "b", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "\"a b:c=d?\"", "'()+_,-./", "\"'()+_,-./:=?\"",
        String(repeating: "x", count: 70),
    ])
    func `a boundary is made of the characters of RFC 2046`(boundary: String) throws {
        let line = "--" + boundary.replacing("\"", with: "")
        let body = "\(line)\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n\(line)--"
        #expect(try read(body, boundary: boundary) == ["a=1"])
    }

    // MARK: - What is refused

    @Test(arguments: ["\"\"", "a@b", "\"a \"", "\"a\\b\"", "é", String(repeating: "x", count: 71)])
    func `another boundary is refused`(boundary: String) {
        let sentence =
            "The content type names no boundary of 1 to 70 allowed characters. "
            + "Let the browser or the library write this header."
        let expected = BodyProblem(status: 400, description: sentence)
        #expect(problem("--b--", boundary: boundary) == expected)
        #expect(throws: expected) { try FormBody.read([], contentType: "multipart/form-data") }
    }

    @Test(arguments: [
        "", "a=b", "--c\r\n", "--b\nContent-Disposition: form-data; name=a\n\n1\n--b--\n--b--x", "--b--x", " --b\r\n",
        "--b", "--b\r", "x--b--",
    ])
    func `a body without its boundary is refused`(body: String) {
        let sentence =
            "The body does not hold its boundary as a line of its own that ends in CR and LF. "
            + "Write it as RFC 7578 says."
        #expect(problem(body) == BodyProblem(status: 400, description: sentence))
    }

    @Test func `a body that is cut anywhere is refused`() {
        let body = part("email", "nora@example.com") + part("note", "a\r\nb", headers: "X-Any: y\r\n") + "--b--"
        #expect(problem(body) == nil)
        // The last two bytes tell the closing boundary from any other.
        for count in 0..<body.utf8.count {
            let cut = String(decoding: Array(body.utf8.prefix(count)), as: UTF8.self)
            #expect(problem(cut)?.status == 400, "\(count) bytes")
        }
        let sentence = "The body ends before its closing boundary. Send it again as a whole."
        #expect(problem(part("a", "1") + "--b") == BodyProblem(status: 400, description: sentence))
    }

    @Test(arguments: ["filename=\"cv.pdf\"", "filename=\"\"", "filename*=utf-8''cv.pdf", "FileName=x"])
    func `a file is refused`(parameter: String) {
        let body = "--b\r\nContent-Disposition: form-data; name=\"cv\"; \(parameter)\r\n\r\n1\r\n--b--"
        let sentence = "The field 'cv' is a file. Only texts are read here: leave it out."
        #expect(problem(body) == BodyProblem(status: 415, description: sentence))
    }

    @Test(arguments: [
        "Content-Type: application/json\r\n", "Content-Type: text/plain; charset=latin1\r\n",
        "Content-Type: multipart/mixed; boundary=c\r\n", "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
    ])
    func `a part that is no plain text is refused`(header: String) {
        let sentence = "The field 'a' is not plain text in UTF-8. Send every part as text/plain."
        let body = part("a", "1", headers: header) + "--b--"
        #expect(problem(body) == BodyProblem(status: 415, description: sentence))
    }

    @Test(arguments: [
        "", "Content-Type: text/plain\r\n", "Content-Disposition: attachment; name=a\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n",
        "Content-Disposition : form-data; name=a\r\n", "Content-Disposition: form-data;\r\n name=a\r\n",
        "no colon\r\n", ": x\r\n", "Content-Disposition: form-data; name=a\r\nContent-Type: <x>\r\n",
    ])
    func `a part without a readable header is refused`(header: String) {
        let sentence =
            "The header of a part is not written as RFC 7578 says. "
            + "Write: Content-Disposition: form-data; name=\"email\""
        #expect(problem("--b\r\n\(header)\r\n1\r\n--b--") == BodyProblem(status: 400, description: sentence))
    }

    @Test func `the header of a part has at most so many bytes`() {
        let sentence = "The header of a part holds more than 4096 bytes. Shorten it."
        let header = "X-Any: \(String(repeating: "x", count: 4_000))\r\n"
        #expect(problem(part("a", "1", headers: header) + "--b--") == nil)
        let body = part("a", "1", headers: header + header) + "--b--"
        #expect(problem(body) == BodyProblem(status: 400, description: sentence))
    }

    @Test func `names, texts and their number are checked as in any form`() {
        let many = String(repeating: part("a", "1"), count: FormBody.fieldsMax)
        #expect(problem(many + "--b--") == nil)
        #expect(problem(many + part("a", "1") + "--b--") == .fieldsTooMany)
        #expect(problem(part("a", "\u{1}") + "--b--") == .valueWithControl("a"))
        #expect(problem(part("a\u{7F}", "1") + "--b--") == .nameWithControl)
        #expect(problem(part(String(repeating: "n", count: 201), "1") + "--b--") == .nameTooLong)
        let latin = Array(part("a", "").utf8.dropLast(2)) + [0xE9] + Array("\r\n--b--".utf8)
        #expect(throws: BodyProblem.valueNotText("a")) {
            try FormBody.read(latin, contentType: "multipart/form-data; boundary=b")
        }
    }
}
