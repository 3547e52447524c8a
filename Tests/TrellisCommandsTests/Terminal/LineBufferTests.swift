import Testing

@testable import TrellisCommands

struct LineBufferTests {
    /// A line with the cursor at `|`.
    private func buffer(_ text: String) -> LineBuffer {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        var buffer = LineBuffer(parts.joined())
        buffer.home()
        for _ in parts[0] { buffer.right() }
        return buffer
    }

    private func shown(_ buffer: LineBuffer) -> String {
        buffer.beforeCursor + "|" + buffer.text.dropFirst(buffer.beforeCursor.count)
    }

    @Test func `each key does what fingers expect`() {
        let keys: [(String, String, (inout LineBuffer) -> Void)] = [
            ("ab|c", "a|bc", { $0.left() }), ("|abc", "|abc", { $0.left() }), ("ab|c", "abc|", { $0.right() }),
            ("abc|", "abc|", { $0.right() }), ("ab|c", "|abc", { $0.home() }), ("a|bc", "abc|", { $0.end() }),
            ("ab|c", "a|c", { $0.deleteBackward() }), ("|abc", "|abc", { $0.deleteBackward() }),
            ("ab|c", "ab|", { $0.deleteForward() }), ("abc|", "abc|", { $0.deleteForward() }),
            ("ab|c", "ab|", { $0.cutToEnd() }), ("ab|c", "|c", { $0.cutToStart() }),
            ("SELECT a |FROM", "SELECT |FROM", { $0.cutWordBackward() }), ("a  |b", "|b", { $0.cutWordBackward() }),
            ("|SELECT a", "| a", { $0.cutWordForward() }), ("a b|c d", "a |bc d", { $0.wordLeft() }),
            ("a b|c d", "a bc| d", { $0.wordRight() }), ("ab|c", "acb|", { $0.transpose() }),
            ("abc|", "acb|", { $0.transpose() }),
            ("|a", "|a", { $0.transpose() }), ("a|c", "ab|c", { $0.insert("b") }),
            ("a|", "aü€😀|", { $0.insert("ü€😀") }),
            ("SELECT le|", "SELECT leads |", { $0.replaceBeforeCursor(2, with: "leads ") }),
            ("a|b", "x|", { $0.replace(with: "x") }),
        ]
        for (before, after, press) in keys {
            var line = buffer(before)
            press(&line)
            #expect(shown(line) == after, "\(before)")
        }
    }

    @Test func `what was cut is put back elsewhere`() {
        var line = buffer("SELECT |a FROM b")
        line.cutToEnd()
        line.home()
        line.yank()
        #expect(shown(line) == "a FROM b|SELECT ")
    }

    @Test func `a mark joins the letter before it`() {
        var line = buffer("e|x")
        line.insert("\u{301}")
        #expect(shown(line) == "é|x" && line.characters.count == 2)
    }

    @Test func `of a line that is too long the part around the cursor is shown`() {
        let windows: [(LineBuffer, Int, String, Int)] = [
            (LineBuffer("abcdefgh"), 4, "efgh", 4), (buffer("|abcdefgh"), 4, "abcd", 0), (buffer("ab|c"), 10, "abc", 2),
            (LineBuffer("日本語"), 4, "本語", 4), (LineBuffer("a\u{1B}b"), 9, "a␛b", 3),
        ]
        for (line, space, text, cursor) in windows {
            let window = LineEditor.window(line, space: space)
            #expect(window.text == text && window.cursor == cursor)
        }
    }
}
