import Foundation
import Testing

/// README.md names what a user can type or hook into, and nothing that is not there.
struct ReadmeTests {
    private let readme: String
    private let program: String

    init() throws {
        readme = try Repository.text("README.md")
        program = try Repository.text("Sources/TrellisCommands/Program.swift")
    }

    @Test func `every hook point is in the README`() throws {
        let points = try Repository.swift("Sources/TrellisKernel").flatMap { source in
            source.code.compactMap {
                $0.firstMatch(of: /struct (\w+): (?:\w+, )*(?:Draft|Question)\b/).map { String($0.1) }
            }
        }
        #expect(points.count >= 7)
        #expect(points.filter { !readme.contains("`\($0)`") } == [])
    }

    @Test func `every command is in the README`() throws {
        let missing = try commands().filter { !readme.contains("trellis \($0)") }
        #expect(missing == [])
    }

    @Test func `every command in the README is one`() throws {
        let known = Set(try commands().flatMap { $0.split(separator: " ").prefix(1) }.map(String.init))
        let named = readme.matches(of: /(?m)(?:^|`|\$ )trellis ([a-z-]+)/).map { String($0.1) }
        #expect(named.count > 20)
        #expect(named.filter { !known.contains($0) } == [])
    }

    @Test func `the README names no way of this machine`() {
        #expect(!readme.contains("/tmp/"))
        #expect(!readme.contains(Repository.root.path()))
    }

    /// Those of the program by the list of its root, and those of the plugins by their paths.
    private func commands() throws -> [String] {
        let root = /commands: \[any ParsableCommand\.Type\] = \[([^\]]*)\]/
        let list = program.firstMatch(of: root).map { String($0.1) } ?? ""
        let types = list.matches(of: /(\w+)\.self/).map { String($0.1) }
        #expect(types.count > 20)
        var names: [String: String] = [:]
        for path in try Repository.files(below: ["Sources/TrellisCommands"], ending: ".swift") {
            for match in try Repository.text(path).matches(
                of: /struct (\w+): \w*ParsableCommand \{[^"]*commandName: "([a-z-]+)"/)
            {
                names[String(match.1)] = String(match.2)
            }
        }
        #expect(types.filter { names[$0] == nil } == [])
        let own = types.compactMap { names[$0] }
        let ofPlugins = try Repository.files(below: ["Plugins"], ending: ".swift").flatMap { path in
            try Repository.text(path).matches(of: /\bCommand\(\s*"([a-z ]+)",/).map { String($0.1) }
        }
        #expect(ofPlugins.count > 10)
        return own + ofPlugins
    }
}
