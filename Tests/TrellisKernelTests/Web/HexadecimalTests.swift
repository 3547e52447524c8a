import Testing

@testable import TrellisKernel

@Suite struct HexadecimalTests {
    @Test func `a byte is two digits in lower case`() {
        #expect(Hexadecimal.text([0, 9, 10, 15, 16, 0x7F, 0xFF]) == "00090a0f107fff")
        #expect(Hexadecimal.text([UInt8]()) == "")
    }

    @Test func `a digit is read in either case, and nothing else is one`() {
        #expect("09afAF".utf8.map(Hexadecimal.digit) == [0, 9, 10, 15, 10, 15])
        #expect("g/:@`G".utf8.allSatisfy { Hexadecimal.digit($0) == nil })
    }
}
