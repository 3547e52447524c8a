import Testing

@testable import TrellisCommands

struct KeyTests {
    private func keys(_ text: String, isAll: Bool = true) -> [Key] { Key.read(Array(text.utf8), isAll: isAll).keys }

    @Test(arguments: [
        ("\u{1B}[A", Key.up), ("\u{1B}[B", .down), ("\u{1B}[C", .right), ("\u{1B}[D", .left), ("\u{1B}OH", .home),
        ("\u{1B}[F", .end), ("\u{1B}[1~", .home), ("\u{1B}[8~", .end), ("\u{1B}[3~", .delete),
        ("\u{1B}[1;5C", .wordRight),
        ("\u{1B}[1;3D", .wordLeft), ("\u{1B}b", .alt("b")), ("\u{1B}\u{7F}", .alt("\u{7F}")), ("\u{01}", .control("a")),
        ("\u{17}", .control("w")), ("\r", .enter), ("\n", .enter), ("\t", .tab), ("\u{7F}", .backspace),
        ("\u{08}", .backspace),
        ("ü", .text("ü")), ("😀", .text("😀")), ("\u{1B}", .escape), ("\u{1B}[200~", .unknown), ("\u{00}", .unknown),
    ])
    func `a key is told by what a terminal sends`(_ text: String, _ key: Key) {
        #expect(keys(text) == [key])
    }

    @Test func `keys that come together are told apart`() {
        #expect(keys("a\u{1B}[Db\r") == [.text("a"), .left, .text("b"), .enter])
    }

    @Test func `the beginning of a key waits for the rest`() {
        for text in ["\u{1B}", "\u{1B}[", "\u{1B}[1;5"] {
            let read = Key.read(Array(("x" + text).utf8), isAll: false)
            #expect(read.keys == [Key.text("x")] && read.count == 1, "\(text)")
        }
        #expect(Key.read([0xC3], isAll: false).count == 0)
        #expect(Key.read([0xFF, 0x61], isAll: true).keys == [Key.unknown])
    }
}
