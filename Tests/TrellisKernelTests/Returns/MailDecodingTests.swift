import Testing

@testable import TrellisKernel

@Suite struct MailDecodingTests {
    private func text(_ content: String, _ encoding: String?) -> String {
        String(decoding: MailDecoding.content(Array(content.utf8)[...], encoding: encoding), as: UTF8.self)
    }

    @Test func `quoted-printable is read as it is written`() {
        let written = MailEncoding.quotedPrintable(
            "Grüße = 100 %\nA long line of words, which is broken softly, since it goes far beyond the 76 columns.\n")
        #expect(
            text(String(decoding: written, as: UTF8.self).replacing("\r\n", with: "\n"), "Quoted-Printable")
                == "Grüße = 100 %\nA long line of words, which is broken softly, since it goes far beyond the 76 columns.\n"
        )
    }

    @Test func `what is no code in it stands for itself`() {
        #expect(text("a=3Db=3db=ZZ=4 =\nnext=", "quoted-printable") == "a=b=b=ZZ=4 next")
        #expect(text("trailing \t\n", "quoted-printable") == "trailing\n")
    }

    @Test func `base 64 is read over line ends and foreign characters, up to its padding`() {
        #expect(text("SGVs\r\nbG8g\n d29y!bGQ=", "base64") == "Hello world")
        #expect(text("SGVsbG8=SGVsbG8=", "BASE64 (comment)") == "Hello")
        #expect(text("QQ", "base64") == "A")
        #expect(text("Q", "base64") == "")
        #expect(text("", "base64") == "")
    }

    @Test func `an encoding nobody knows, or none, changes nothing`() {
        #expect(text("a=3D", "x-uuencode") == "a=3D")
        #expect(text("a=3D", nil) == "a=3D")
    }

    @Test func `bytes that are no UTF-8 are read as Windows-1252, and NUL is left out`() {
        #expect(MailDecoding.text([0x47, 0x72, 0xFC, 0x0, 0x80]) == "Grü€")
        #expect(MailDecoding.text(Array("Grü".utf8)[...]) == "Grü")
    }

    @Test(arguments: [
        ("plain", "plain"),
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe?= an =?UTF-8?B?QWxsZQ==?=", "Grüße an Alle"),
        ("=?utf-8?Q?one?= =?utf-8?Q?_two?=", "one two"),
        ("=?utf-8?Q?one?= and =?utf-8?Q?two?=", "one and two"),
        ("=?iso-8859-1?q?caf=E9?=", "café"),
        ("=?utf-8*de?Q?caf=C3=A9?=", "café"),
        ("=?iso-2022-jp?B?GyRC?= x", "=?iso-2022-jp?B?GyRC?= x"),
        ("=?utf-8?X?a?=", "=?utf-8?X?a?="), ("=?utf-8?Q?a", "=?utf-8?Q?a"), ("=?", "=?"), ("=?utf-8?", "=?utf-8?"),
        ("a =? b ?= c", "a =? b ?= c"),
    ])
    func `encoded words of a header`(value: String, expected: String) {
        #expect(MailDecoding.words(value) == expected)
    }
}
