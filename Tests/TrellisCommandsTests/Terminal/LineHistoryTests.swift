import Foundation
import Testing

@testable import TrellisCommands

struct LineHistoryTests {
    private let folder = NSTemporaryDirectory() + "trellis-history-" + UUID().uuidString
    private var path: String { folder + "/trellis/history" }

    private func mode(_ path: String) throws -> Int {
        try (FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int) ?? 0
    }

    @Test func `lines are kept in a file that its owner alone may read`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var history = LineHistory(path: path)
        for line in ["SELECT 1;", "SELECT 1;", " SELECT secret;", "", "SELECT a,\n  'b\\n' FROM c;\n"] {
            history.append(line)
        }
        #expect(history.lines == ["SELECT 1;", "SELECT a,\n  'b\\n' FROM c;"])
        #expect(LineHistory(path: path).lines == history.lines)
        #expect(try mode(path) == 0o600 && mode(folder + "/trellis") == 0o700)
        chmod(path, 0o644)
        history.append("SELECT 2;")
        #expect(try mode(path) == 0o600)
    }

    @Test func `the oldest lines go`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var history = LineHistory(path: nil)
        for number in 0..<(LineHistory.linesMax + 5) { history.append("SELECT \(number);") }
        #expect(history.lines.count == LineHistory.linesMax && history.lines.first == "SELECT 5;")
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test func `it lies where programs keep what they remember`() {
        #expect(LineHistory.defaultPath(["XDG_STATE_HOME": "/s", "HOME": "/h"]) == "/s/trellis/history")
        #expect(LineHistory.defaultPath(["HOME": "/h"]) == "/h/.local/state/trellis/history")
        #expect(LineHistory.defaultPath([:]) == nil)
    }
}
