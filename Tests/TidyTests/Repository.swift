import Foundation

/// The files of this repository, read once.
struct Repository: Sendable {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Paths below folders of the repository with one of the endings, sorted.
    static func files(below folders: [String], ending: String) throws -> [String] {
        try folders.flatMap { folder -> [String] in
            let url = root.appending(path: folder)
            guard FileManager.default.fileExists(atPath: url.path()) else { return [] }
            return try FileManager.default.subpathsOfDirectory(atPath: url.path())
                .filter { $0.hasSuffix(ending) && !$0.contains(".build/") }.sorted().map { "\(folder)/\($0)" }
        }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func swift(_ folders: String...) throws -> [SwiftSource] {
        try files(below: folders, ending: ".swift").map { SwiftSource(path: $0, text: try text($0)) }
    }

    static var everySwiftFile: [SwiftSource] {
        get throws {
            try swift("Sources", "Plugins", "Tests", "Benchmarks", "Examples")
                + [SwiftSource(path: "Package.swift", text: try text("Package.swift"))]
        }
    }
}

/// What is untidy, one `file:line: sentence` each, so that all of it is seen at once.
struct Untidy: CustomStringConvertible {
    private(set) var lines: [String] = []
    var isEmpty: Bool { lines.isEmpty }
    var description: String { "\n" + lines.joined(separator: "\n") }

    mutating func add(_ path: String, _ line: Int, _ sentence: String) {
        lines.append("\(path):\(line): \(sentence)")
    }
}
