import Testing

@testable import TrellisKernel

struct TextEncodingTests {
    /// Transcodes text in pieces of a given size.
    private func transcoded(_ bytes: [UInt8], from encoding: TextEncoding, pieceBytes: Int) -> [UInt8] {
        var transcoder = UTF8Transcoder(from: encoding)
        var result: [UInt8] = []
        let capacity = UTF8Transcoder.outputBytesMax(forInput: pieceBytes)
        let output = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        defer { output.deallocate() }
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            let piece = Array(bytes[start..<min(start + pieceBytes, bytes.count)])
            let count = piece.withUnsafeBufferPointer { transcoder.transcode($0, to: output) }
            result += UnsafeBufferPointer(start: output, count: count)
        }
        result += UnsafeBufferPointer(start: output, count: transcoder.finish(to: output))
        return result
    }

    private func bytes(of text: String, bigEndian: Bool) -> [UInt8] {
        text.utf16.flatMap { unit in
            let low = UInt8(truncatingIfNeeded: unit)
            let high = UInt8(truncatingIfNeeded: unit >> 8)
            return bigEndian ? [high, low] : [low, high]
        }
    }

    private func isUTF8(_ bytes: [UInt8], mayBeCut: Bool = false) -> Bool {
        bytes.withUnsafeBufferPointer { UTF8Validation.accepts($0, mayBeCut: mayBeCut) }
    }

    @Test(arguments: [1, 2, 3, 5, 100])
    func `UTF-16 of both byte orders becomes UTF-8 in pieces of any size`(pieceBytes: Int) {
        let text = "Zoë, 東京 🌱 €"
        for (encoding, isBig) in [(TextEncoding.utf16LittleEndian, false), (.utf16BigEndian, true)] {
            let input = bytes(of: text, bigEndian: isBig)
            #expect(transcoded(input, from: encoding, pieceBytes: pieceBytes) == Array(text.utf8))
        }
    }

    @Test func `every Windows-1252 byte from A0 up is the Latin-1 character of its number`() {
        for byte in UInt8(0xA0)...0xFF {
            let text = String(Character(Unicode.Scalar(byte)))
            #expect(transcoded([byte], from: .windows1252, pieceBytes: 1) == Array(text.utf8))
        }
    }

    @Test func `the Windows-1252 bytes from 80 to 9F are the characters that Windows shows`() {
        let defined = (UInt8(0x80)...0x9F).filter { ![0x81, 0x8D, 0x8F, 0x90, 0x9D].contains($0) }
        let text = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
        #expect(transcoded(defined, from: .windows1252, pieceBytes: 4) == Array(text.utf8))
    }

    @Test func `the five bytes that Windows-1252 leaves open become control characters`() {
        let result = transcoded([0x81, 0x8D, 0x8F, 0x90, 0x9D], from: .windows1252, pieceBytes: 5)
        #expect(result == Array("\u{81}\u{8D}\u{8F}\u{90}\u{9D}".utf8))
    }

    @Test func `half of a surrogate pair becomes a byte that is not UTF-8`() {
        let loneHigh: [UInt8] = [0x3D, 0xD8, 0x41, 0x00]
        #expect(transcoded(loneHigh, from: .utf16LittleEndian, pieceBytes: 3) == [0xFF, 0x41])
        let loneLow: [UInt8] = [0x31, 0xDF, 0x41, 0x00]
        #expect(transcoded(loneLow, from: .utf16LittleEndian, pieceBytes: 3) == [0xFF, 0x41])
        #expect(transcoded([0x3D, 0xD8, 0x00], from: .utf16LittleEndian, pieceBytes: 9) == [0xFF, 0xFF])
    }

    @Test func `UTF-8 passes as it is`() {
        #expect(transcoded(Array("Zoë".utf8), from: .utf8, pieceBytes: 1) == Array("Zoë".utf8))
    }

    @Test func `a byte order mark decides the encoding`() {
        #expect(TextEncoding.detected(in: [0xEF, 0xBB, 0xBF, 0xE9], mayBeCut: false) == .utf8)
        #expect(TextEncoding.detected(in: [0xFF, 0xFE, 0x41, 0x00], mayBeCut: false) == .utf16LittleEndian)
        #expect(TextEncoding.detected(in: [0xFE, 0xFF, 0x00, 0x41], mayBeCut: false) == .utf16BigEndian)
    }

    @Test func `without a mark valid UTF-8 is UTF-8 and anything else Windows-1252`() {
        #expect(TextEncoding.detected(in: Array("Zoë".utf8), mayBeCut: false) == .utf8)
        #expect(TextEncoding.detected(in: [], mayBeCut: false) == .utf8)
        #expect(TextEncoding.detected(in: [0x5A, 0x6F, 0xEB, 0x2C], mayBeCut: true) == .windows1252)
    }

    @Test func `a character cut at the border of the sample is no reason against UTF-8`() {
        for cut in 1...3 {
            let sample = Array("a🌱".utf8).dropLast(cut)
            #expect(TextEncoding.detected(in: Array(sample), mayBeCut: true) == .utf8)
            #expect(TextEncoding.detected(in: Array(sample), mayBeCut: false) == .windows1252)
        }
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xC3, 0x41], [0xE2, 0x82, 0x41],
        ] as [[UInt8]])
    func `overlong forms, surrogates and stray bytes are not UTF-8`(bytes: [UInt8]) {
        #expect(!isUTF8(bytes))
        #expect(!isUTF8(bytes, mayBeCut: true))
    }

    @Test func `every Unicode scalar is valid UTF-8 and comes back from UTF-16`() {
        let scalars = stride(from: UInt32(1), through: 0x10FFFF, by: 97).compactMap(Unicode.Scalar.init)
        let text = String(String.UnicodeScalarView(scalars))
        #expect(isUTF8(Array(text.utf8)))
        let input = bytes(of: text, bigEndian: true)
        #expect(transcoded(input, from: .utf16BigEndian, pieceBytes: 7) == Array(text.utf8))
    }

    @Test func `the raw values are the registered names`() {
        let names = TextEncoding.allCases.map(\.rawValue)
        #expect(names == ["utf-8", "utf-16le", "utf-16be", "windows-1252"])
    }
}
