import Testing

@testable import TrellisKernel

@Suite struct DigestTests {
    /// Source: the examples of FIPS 180-4, https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `a digest is SHA-256 in lower-case hex`(_ text: String, _ hex: String) {
        #expect(Digest.hex(text) == hex)
        #expect(Digest.hex(Array(text.utf8)) == hex)
    }

    @Test func `a digest is of the bytes of the text`() {
        #expect(Digest.hex("é") == Digest.hex([0xC3, 0xA9] as [UInt8]))
        #expect(Digest.hex("é") != Digest.hex("e\u{301}"))
        #expect(Digest.hex("a") != Digest.hex("A"))
    }
}
