import Foundation
import Testing
import TrellisKernel

@testable import TrellisCommands

@Suite struct ConfigWatchTests {
    private let file = NSTemporaryDirectory() + UUID().uuidString + ".yaml"
    private let start = ContinuousClock.now

    private func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
    }

    private func watch() throws -> ConfigWatch {
        try write("one")
        let file = file
        return ConfigWatch(file, at: start, inForce: { "in force" }) {
            guard FileManager.default.contents(atPath: file)?.starts(with: Data("bad".utf8)) != true else {
                throw KernelError.data("config.yaml:1:1: bad.")
            }
        }
    }

    /// What looks at these seconds after the start find; a hyphen for nothing.
    private func findings(_ watch: ConfigWatch, at seconds: [Double]) -> [String] {
        seconds.map { second in
            switch watch.look(at: start + .seconds(second)) {
            case nil: "-"
            case .changed: "changed"
            case .wrong(let sentences): sentences
            }
        }
    }

    @Test func `an edit is found once, when two looks see the same`() throws {
        let watch = try watch()
        defer { try? FileManager.default.removeItem(atPath: file) }
        #expect(findings(watch, at: [1, 2, 3]) == ["-", "-", "-"])
        try write("two")
        #expect(findings(watch, at: [3.5, 4, 4.5, 5, 6, 7]) == ["-", "-", "-", "changed", "-", "-"])
    }

    @Test func `whoever is still writing is waited for`() throws {
        let watch = try watch()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try write("two, the first half")
        #expect(findings(watch, at: [1]) == ["-"])
        try write("two, the first half and the second")
        #expect(findings(watch, at: [2, 3, 4]) == ["-", "changed", "-"])
    }

    @Test func `one that is wrong, or gone, is told of once, and one that is mended too`() throws {
        let watch = try watch()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try write("bad")
        #expect(findings(watch, at: [1, 2, 3]) == ["-", "config.yaml:1:1: bad.", "-"])
        try FileManager.default.removeItem(atPath: file)
        #expect(findings(watch, at: [4, 5, 6]) == ["-", "changed", "-"])
        try write("good")
        #expect(findings(watch, at: [7, 8, 9]) == ["-", "changed", "-"])
    }

    @Test func `what is in force, and what was spoken of, is no news`() throws {
        let watch = try watch()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try write("in force")
        #expect(findings(watch, at: [1, 2, 3]) == ["-", "-", "-"])
        try write("other")
        #expect(findings(watch, at: [4]) == ["-"])
        watch.pass()
        #expect(findings(watch, at: [5, 6, 7]) == ["-", "-", "-"])
    }
}
