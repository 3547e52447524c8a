import Foundation
import Testing

/// The style of CONTRIBUTING.md, as far as a program can hold it.
struct TidyTests {
    // MARK: - Length

    static let fileMax = 400
    static let functionMax = 70
    static let lineMax = 120
    /// SQL, and a sentence for people, is read in one piece.
    static let textLineMax = 170
    /// The wording that a test expects stands in one piece.
    static let expectedTextMax = 220

    @Test func `files, functions and lines are short`() throws {
        var untidy = Untidy()
        for source in try Repository.everySwiftFile {
            if source.lines.count > TidyTests.fileMax {
                untidy.add(source.path, 1, "the file has \(source.lines.count) lines; at most \(TidyTests.fileMax)")
            }
            for body in source.bodies where body.lineCount > TidyTests.functionMax {
                untidy.add(
                    source.path, body.line, "\(body.name) has \(body.lineCount) lines; at most \(TidyTests.functionMax)"
                )
            }
            for (index, line) in source.lines.enumerated() {
                let textMost = source.path.hasPrefix("Tests/") ? TidyTests.expectedTextMax : TidyTests.textLineMax
                let most = source.endsInText(index) ? textMost : TidyTests.lineMax
                if line.count > most { untidy.add(source.path, index + 1, "\(line.count) columns; at most \(most)") }
            }
        }
        #expect(untidy.isEmpty, "\(untidy)")
    }

    // MARK: - Who may know whom

    @Test func `plugins import the kernel and what comes with Swift, and nothing else`() throws {
        var untidy = Untidy()
        for source in try Repository.swift("Plugins") {
            for (line, module) in source.imports
            where !["TrellisKernel", "Foundation", "Synchronization"].contains(module) {
                untidy.add(source.path, line, "imports \(module)")
            }
        }
        #expect(untidy.isEmpty, "\(untidy)")
    }

    @Test func `the kernel knows no plugin`() throws {
        let plugins = try FileManager.default.contentsOfDirectory(
            atPath: Repository.root.appending(path: "Plugins").path())
        var untidy = Untidy()
        for source in try Repository.swift("Sources/TrellisKernel") {
            for (line, module) in source.imports where plugins.contains(module) {
                untidy.add(source.path, line, "imports \(module)")
            }
        }
        #expect(plugins.count >= 5)
        #expect(untidy.isEmpty, "\(untidy)")
    }

    // MARK: - What is not written

    @Test func `there is one clock`() throws {
        var untidy = Untidy()
        for source in try Repository.swift("Sources", "Plugins") where !source.path.hasSuffix("Time/KernelClock.swift")
        {
            for (index, line) in source.code.enumerated() where line.contains(/\bDate\(\)|\bDate\.now\b/) {
                untidy.add(source.path, index + 1, "reads the time of the machine; use the clock of the kernel")
            }
        }
        #expect(untidy.isEmpty, "\(untidy)")
    }

    @Test func `nothing crashes on purpose, and nothing is left for later`() throws {
        var untidy = Untidy()
        for source in try Repository.swift("Sources", "Plugins") {
            for (index, line) in source.code.enumerated() {
                if let match = line.firstMatch(of: /\b(?:fatalError\(|preconditionFailure\(|try!|as!)/) {
                    untidy.add(source.path, index + 1, "\(match.0): throw an error that says what to do")
                }
            }
            for (index, line) in source.lines.enumerated() {
                if let match = line.firstMatch(of: /\b(?:TODO|FIXME)\b/) {
                    untidy.add(source.path, index + 1, "\(match.0)")
                }
            }
        }
        #expect(untidy.isEmpty, "\(untidy)")
    }

    // MARK: - Migrations

    @Test func `migrations are numbered without a gap`() throws {
        var untidy = Untidy()
        let files = try Repository.files(below: ["Migrations"], ending: ".sql")
        for (folder, paths) in Dictionary(grouping: files, by: { ($0 as NSString).deletingLastPathComponent }) {
            for (index, path) in paths.sorted().enumerated() {
                let name = (path as NSString).lastPathComponent
                let number = String(format: "%04d", index + 1)
                if name.wholeMatch(of: /\d{4}_[a-z_]+\.sql/) == nil || !name.hasPrefix(number) {
                    untidy.add(path, 1, "expected a name such as \(folder)/\(number)_create_scores.sql")
                }
            }
        }
        #expect(files.count >= 9)
        #expect(untidy.isEmpty, "\(untidy)")
    }

    @Test func `every view stands among the views, and says what a row is`() throws {
        var untidy = Untidy()
        var views: Set<Substring> = []
        for path in try Repository.files(below: ["Views"], ending: ".sql") {
            let lines = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                if line.count > TidyTests.textLineMax {
                    untidy.add(path, index + 1, "\(line.count) columns; at most \(TidyTests.textLineMax)")
                }
                guard let view = line.firstMatch(of: /^CREATE VIEW (\w+)/)?.1 else { continue }
                views.insert(view)
                if index == 0 || !lines[index - 1].hasPrefix("-- ") {
                    untidy.add(path, index + 1, "a comment above the view says what a row is")
                }
            }
        }
        // These two are a plugin's stand-ins for tables of another one.
        let borrowed: Set<Substring> = ["figures_page_views", "figures_tests"]
        for path in try Repository.files(below: ["Migrations"], ending: ".sql") {
            for match in try Repository.text(path).matches(of: /(?m)^CREATE VIEW (\w+)/)
            where !views.union(borrowed).contains(match.1) {
                untidy.add(path, 1, "the view \(match.1) stands in no file below Views/")
            }
        }
        #expect(views.count >= 40)
        #expect(untidy.isEmpty, "\(untidy)")
    }

    @Test func `every table is STRICT and says what a row is`() throws {
        var untidy = Untidy()
        for path in try Repository.files(below: ["Migrations"], ending: ".sql") {
            let lines = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() where line.hasPrefix("CREATE TABLE") {
                if index == 0 || !lines[index - 1].hasPrefix("-- ") {
                    untidy.add(path, index + 1, "a comment above the table says what a row is")
                }
                let end = lines[index...].first { $0.contains(/\)[^,;(]*;\s*$/) || $0.hasPrefix(")") }
                if end?.contains("STRICT") != true { untidy.add(path, index + 1, "the table is not STRICT") }
            }
        }
        #expect(untidy.isEmpty, "\(untidy)")
    }
}

extension SwiftSource {
    /// The modules a file imports, each with its line.
    var imports: [(line: Int, module: String)] {
        code.enumerated().compactMap { index, line in
            line.firstMatch(of: /^(?:@\w+ )*(?:public |internal )?import (?:struct |class |enum |func )?(\w+)/).map {
                (index + 1, String($0.1))
            }
        }
    }
}
