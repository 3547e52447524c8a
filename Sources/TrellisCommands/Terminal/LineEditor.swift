import Foundation

/// Reads lines from a terminal as a shell does: arrows, home and end, the control keys of Emacs, the lines of before,
/// and what a tab completes.
///
/// The terminal is put into raw mode for the time of one line, and back whatever happens.
final class LineEditor {
    enum Outcome {
        case line(String)
        /// Ctrl-C.
        case cancelled
        /// Ctrl-D on an empty line.
        case end
    }

    /// What may stand in place of the last word before the cursor.
    struct Completion {
        /// How many characters before the cursor are replaced.
        let count: Int
        let candidates: [String]
    }

    var history: LineHistory
    private let complete: (String) -> Completion
    private let input: Int32
    private let write: (String) -> Void
    private let width: () -> Int
    private var pending: [UInt8] = []

    /// - Parameter complete: is given what stands before the cursor.
    init(
        history: LineHistory, input: Int32 = STDIN_FILENO,
        width: @escaping () -> Int = { Terminal.attached(to: STDOUT_FILENO).width ?? Terminal.widthDefault },
        write: @escaping (String) -> Void = { text in
            print(text, terminator: "")
            fflush(nil)
        }, complete: @escaping (String) -> Completion
    ) {
        self.history = history
        self.input = input
        self.width = width
        self.write = write
        self.complete = complete
    }

    func readLine(prompt: String) -> Outcome {
        var before = termios()
        guard tcgetattr(input, &before) == 0 else { return .end }
        var raw = before
        cfmakeraw(&raw)
        // Output keeps its line ends.
        raw.c_oflag = before.c_oflag
        tcsetattr(input, TCSADRAIN, &raw)
        defer { tcsetattr(input, TCSADRAIN, &before) }
        var session = Session(prompt: prompt, entries: history.lines + [""])
        show(session)
        while let keys = nextKeys() {
            for (index, key) in keys.enumerated() {
                if let outcome = press(key, &session) {
                    // What was typed ahead is the beginning of the next line.
                    typedAhead = Array(keys[(index + 1)...])
                    session.buffer.end()
                    show(session)
                    write("\n")
                    return outcome
                }
            }
            show(session)
        }
        return .end
    }

    /// One line being read: its text, and which line of the history it grew from.
    private struct Session {
        let prompt: String
        var entries: [String]
        var place: Int
        var buffer = LineBuffer()

        init(prompt: String, entries: [String]) {
            self.prompt = prompt
            self.entries = entries
            place = entries.count - 1
        }

        mutating func move(by step: Int) {
            guard entries.indices.contains(place + step) else { return }
            entries[place] = buffer.text
            place += step
            buffer.replace(with: entries[place])
        }
    }

    private var typedAhead: [Key] = []

    /// - Returns: nil once there is nothing more to read.
    private func nextKeys() -> [Key]? {
        if !typedAhead.isEmpty {
            defer { typedAhead = [] }
            return typedAhead
        }
        while true {
            var block = [UInt8](repeating: 0, count: 1_024)
            let count = read(input, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            pending.append(contentsOf: block[..<count])
            let (keys, used) = Key.read(pending, isAll: count < block.count)
            pending.removeFirst(used)
            if !keys.isEmpty { return keys }
        }
    }

    private func press(_ key: Key, _ session: inout Session) -> Outcome? {
        switch key {
        case .text(let text): session.buffer.insert(text)
        case .enter: return .line(session.buffer.text)
        case .control("c"): return .cancelled
        case .control("d"):
            if session.buffer.isEmpty { return .end }
            session.buffer.deleteForward()
        case .tab: completeWord(&session)
        case .up, .control("p"): session.move(by: -1)
        case .down, .control("n"): session.move(by: 1)
        case .control("l"): write("\u{1B}[H\u{1B}[2J")
        default: edit(key, &session.buffer)
        }
        return nil
    }

    private func edit(_ key: Key, _ buffer: inout LineBuffer) {
        switch key {
        case .backspace: buffer.deleteBackward()
        case .delete: buffer.deleteForward()
        case .left, .control("b"): buffer.left()
        case .right, .control("f"): buffer.right()
        case .home, .control("a"): buffer.home()
        case .end, .control("e"): buffer.end()
        case .wordLeft, .alt("b"): buffer.wordLeft()
        case .wordRight, .alt("f"): buffer.wordRight()
        case .control("k"): buffer.cutToEnd()
        case .control("u"): buffer.cutToStart()
        case .control("w"), .alt("\u{7F}"): buffer.cutWordBackward()
        case .alt("d"): buffer.cutWordForward()
        case .control("y"): buffer.yank()
        case .control("t"): buffer.transpose()
        default: break
        }
    }

    /// Writes what all candidates begin with; where that is nothing more, lists them.
    private func completeWord(_ session: inout Session) {
        let completion = complete(session.buffer.beforeCursor)
        guard let first = completion.candidates.first else { return }
        let common = completion.candidates.dropFirst().reduce(first) {
            String($0.commonPrefix(with: $1, options: .caseInsensitive))
        }
        if completion.candidates.count == 1 || common.count > completion.count {
            let text = completion.candidates.count == 1 && !first.hasSuffix("(") ? first + " " : common
            session.buffer.replaceBeforeCursor(completion.count, with: text)
            return
        }
        let shown = completion.candidates.prefix(60).joined(separator: "  ")
        let more = completion.candidates.count > 60 ? "  …" : ""
        write("\n" + shown + more + "\n")
    }

    /// Draws the line: of one that is too long, the part around the cursor.
    private func show(_ session: Session) {
        let space = max(8, width() - session.prompt.displayWidth - 1)
        let (shown, cursor) = LineEditor.window(session.buffer, space: space)
        write("\r" + session.prompt + shown + "\u{1B}[K")
        let back = shown.displayWidth - cursor
        if back > 0 { write("\u{1B}[\(back)D") }
    }

    /// The part of a line that fits, and the cells before the cursor in it.
    static func window(_ buffer: LineBuffer, space: Int) -> (text: String, cursor: Int) {
        let characters = buffer.characters.map { String($0).withVisibleControls }
        var start = buffer.cursor
        var used = 0
        while start > 0, used + characters[start - 1].displayWidth <= space {
            start -= 1
            used += characters[start].displayWidth
        }
        var text = characters[start..<buffer.cursor].joined()
        let cursor = used
        for character in characters[buffer.cursor...] {
            let next = character.displayWidth
            guard used + next <= space else { break }
            used += next
            text += character
        }
        return (text, cursor)
    }
}
