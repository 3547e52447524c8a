import Foundation

/// What was typed before, kept in a file that its owner alone may read: statements name people.
struct LineHistory {
    /// The oldest first.
    private(set) var lines: [String] = []
    private let path: String?

    static let linesMax = 1_000

    /// - Parameter path: the file; nil keeps nothing.
    init(path: String?) {
        self.path = path
        guard let path, let data = FileManager.default.contents(atPath: path) else { return }
        let read = String(decoding: data, as: UTF8.self).split(separator: "\n").map { LineHistory.unescaped($0) }
        lines = read.suffix(LineHistory.linesMax)
    }

    /// In the folder for what a program remembers (https://specifications.freedesktop.org/basedir-spec/latest/).
    static func defaultPath(_ environment: [String: String]) -> String? {
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/trellis/history" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.local/state/trellis/history"
    }

    /// Remembers a line, unless it begins with a space or is the one before it again.
    mutating func append(_ line: String) {
        let line = line.trimmingCharacters(in: .newlines)
        guard !line.isEmpty, line.first != " ", line != lines.last else { return }
        lines.append(line)
        if lines.count > LineHistory.linesMax { lines.removeFirst(lines.count - LineHistory.linesMax) }
        save()
    }

    /// A history that cannot be kept is no reason to stop.
    private func save() {
        guard let path else { return }
        let folder = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let draft = path + ".new"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let text = Data(lines.map { LineHistory.escaped($0) + "\n" }.joined().utf8)
        let isWritten = text.withUnsafeBytes { write(file, $0.baseAddress, $0.count) } == text.count
        close(file)
        if isWritten { rename(draft, path) } else { unlink(draft) }
    }

    private static func escaped(_ line: String) -> String {
        line.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\r", with: "")
    }

    private static func unescaped(_ line: Substring) -> String {
        var (text, isEscaped) = ("", false)
        for character in line {
            if isEscaped {
                text.append(character == "n" ? "\n" : character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                text.append(character)
            }
        }
        return text
    }
}
