import Foundation
import Testing

/// What templates say stands in files of words, and what stands there is said.
struct WordsTests {
    /// The keys of the English, by the folders of their owners.
    private func keys() throws -> Set<String> {
        let files = try Repository.files(below: ["Words"], ending: "/en.yaml")
        #expect(files.count >= 2)
        let keys = try files.flatMap { path in
            try Repository.text(path).matches(of: /(?m)^([a-z0-9_]+):/).map { String($0.1) }
        }
        #expect(Set(keys).count == keys.count, "two owners have the same key")
        return Set(keys)
    }

    private func templates() throws -> [(path: String, text: String)] {
        try Repository.files(below: ["Pages"], ending: ".mustache").map { ($0, try Repository.text($0)) }
    }

    @Test func `every word of a template is there`() throws {
        let keys = try keys()
        var untidy = Untidy()
        for (path, text) in try templates() {
            for match in text.matches(of: /words\.([a-z0-9_]+)/) where !keys.contains(String(match.1)) {
                untidy.add(path, 1, "there is no word \(match.1)")
            }
        }
        #expect(untidy.isEmpty, "\(untidy)")
    }

    @Test func `every word is said somewhere`() throws {
        var text = try templates().map(\.text).joined()
        for path in try Repository.files(below: ["Sources", "Plugins"], ending: ".swift") {
            text += try Repository.text(path)
        }
        // These are put together from a name.
        let made = ["problem_heading_", "label_", "refused_"]
        let unsaid = try keys().filter { key in
            !made.contains { key.hasPrefix($0) } && !text.contains("words.\(key)") && !text.contains("\"\(key)\"")
        }
        #expect(unsaid.sorted() == [])
    }

    @Test func `a template that visitors see holds no sentence of its own`() throws {
        // Of the house: reps, queries, reports.
        let house = ["figures-report", "handoff", "queries", "query", "simulation", "report-style"]
        var untidy = Untidy()
        for (path, text) in try templates() {
            let name = (path as NSString).lastPathComponent.replacing(".mustache", with: "")
            guard !house.contains(name) else { continue }
            let bare = text.replacing(/(?s)<style>.*?<\/style>/, with: "")
                .replacing(/\{\{\$main_class\}\}\w+/, with: "").replacing(/\{\{\{?[^}]*\}?\}\}/, with: "")
                .replacing(/<[^>]*>/, with: "")
            for (index, line) in bare.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            where line.contains(/[A-Za-z]{2}/) {
                untidy.add(path, index + 1, "'\(line)' belongs into the words")
            }
        }
        #expect(untidy.isEmpty, "\(untidy)")
    }
}
