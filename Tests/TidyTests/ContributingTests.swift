import Foundation
import Testing

/// CONTRIBUTING.md and README.md name what is here: each room, each plugin.
struct ContributingTests {
    /// The folders right below one.
    private func folders(in path: String) throws -> [String] {
        let url = Repository.root.appending(path: path)
        return try FileManager.default.contentsOfDirectory(atPath: url.path()).filter { name in
            var isFolder: ObjCBool = false
            let path = url.appending(path: name).path()
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }.sorted()
    }

    @Test func `every room of the sources is in CONTRIBUTING`() throws {
        let page = try Repository.text("CONTRIBUTING.md")
        let targets = try folders(in: "Sources")
        #expect(targets.count > 8)
        #expect(targets.filter { !page.contains("\($0)/") } == [])
        for target in ["TrellisKernel", "TrellisServer"] {
            let after = page.components(separatedBy: "  \(target)/ ").last
            let words = try #require(after?.firstMatch(of: /(?s).*?\n  \w+\//)).0
            let rooms = try folders(in: "Sources/\(target)")
            #expect(rooms.count > 4)
            #expect(rooms.filter { !words.contains($0) } == [], "\(target)")
        }
    }

    @Test func `every plugin is in the table of the README, and they are as many as it says`() throws {
        let readme = try Repository.text("README.md")
        let plugins = try folders(in: "Plugins")
        for plugin in plugins {
            let source = try Repository.text("Plugins/\(plugin)/\(plugin).swift")
            let name = try #require(source.firstMatch(of: /static let name = "([a-z_]+)"/)).1
            #expect(readme.contains(try Regex("(?m)^\\| [A-Z][a-z ]+ \\| `\(name)` \\|")), "\(name)")
        }
        let count = try #require(readme.firstMatch(of: /the (\w+) that come with it are plugins/)).1
        let numbers = ["four", "five", "six", "seven", "eight", "nine", "ten"]
        #expect(numbers.firstIndex(of: String(count)) == plugins.count - 4)
    }
}
