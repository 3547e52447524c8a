/// A line while it is typed: its characters and where the cursor stands among them. Every key of a person's fingers is
/// one function here, and none of it knows a terminal.
struct LineBuffer: Hashable {
    private(set) var characters: [Character] = []
    /// How many characters stand before the cursor.
    private(set) var cursor = 0
    /// What was cut last, for ``yank()``.
    private(set) var cut = ""

    init(_ text: String = "") {
        characters = Array(text)
        cursor = characters.count
    }

    var text: String { String(characters) }
    var beforeCursor: String { String(characters[..<cursor]) }
    var isEmpty: Bool { characters.isEmpty }

    mutating func insert(_ text: String) {
        let added = Array(text)
        characters.insert(contentsOf: added, at: cursor)
        cursor += added.count
        // A combining mark joins the character before it.
        let (before, after) = (String(characters[..<cursor]), String(characters[cursor...]))
        characters = Array(before + after)
        cursor = before.count
    }

    /// Puts another text in place of the line, the cursor behind it.
    mutating func replace(with text: String) {
        characters = Array(text)
        cursor = characters.count
    }

    /// Puts a text in place of the last `count` characters before the cursor.
    mutating func replaceBeforeCursor(_ count: Int, with text: String) {
        let start = max(0, cursor - count)
        characters.removeSubrange(start..<cursor)
        cursor = start
        insert(text)
    }

    mutating func left() { cursor = max(0, cursor - 1) }
    mutating func right() { cursor = min(characters.count, cursor + 1) }
    mutating func home() { cursor = 0 }
    mutating func end() { cursor = characters.count }
    mutating func wordLeft() { cursor = startOfWord }
    mutating func wordRight() { cursor = endOfWord }

    mutating func deleteBackward() {
        guard cursor > 0 else { return }
        cursor -= 1
        characters.remove(at: cursor)
    }

    mutating func deleteForward() {
        if cursor < characters.count { characters.remove(at: cursor) }
    }

    mutating func cutToEnd() { remove(cursor..<characters.count) }
    mutating func cutToStart() { remove(0..<cursor) }
    mutating func cutWordBackward() { remove(startOfWord..<cursor) }
    mutating func cutWordForward() { remove(cursor..<endOfWord) }
    mutating func yank() { insert(cut) }

    /// Swaps the two characters around the cursor, or the last two at the end of the line.
    mutating func transpose() {
        guard characters.count > 1, cursor > 0 else { return }
        let place = min(cursor, characters.count - 1)
        characters.swapAt(place - 1, place)
        cursor = place + 1
    }

    private mutating func remove(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        cut = String(characters[range])
        characters.removeSubrange(range)
        cursor = range.lowerBound
    }

    private var startOfWord: Int {
        var place = cursor
        while place > 0, characters[place - 1].isWhitespace { place -= 1 }
        while place > 0, !characters[place - 1].isWhitespace { place -= 1 }
        return place
    }

    private var endOfWord: Int {
        var place = cursor
        while place < characters.count, characters[place].isWhitespace { place += 1 }
        while place < characters.count, !characters[place].isWhitespace { place += 1 }
        return place
    }
}
