import Foundation
import Yams

/// A YAML file as nodes with their places.
struct YAMLDocument {
    let root: Node?
    let problems: [ConfigProblem]
    private let lines: [String]
    /// Kept, because the nodes hold their anchors weakly.
    private let parser: Parser?

    /// A config beyond this is a mistake, or an attack.
    static let bytesMax = 1_000_000
    /// Stands for a key that was written twice, so that the rest of the file is still checked in the same run.
    static let duplicateMark = "duplicate\u{1}"

    init(text: String, file: String) {
        guard text.utf8.count <= YAMLDocument.bytesMax else {
            self.init(
                root: nil,
                problems: [
                    ConfigProblem("larger than 1 MB. Split out what is not configuration.", at: Place(file: file))
                ])
            return
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var problems: [ConfigProblem] = []
        // Each round blanks out one duplicated key; a file has at most so many before we stop counting.
        for round in 0..<50 {
            do {
                // The schema types the scalars; the rules of YAML, such as `no` for false, are not even compiled.
                let parser = try Parser(yaml: lines.joined(separator: "\n"), resolver: .basic)
                self.init(root: try parser.singleRoot(), problems: problems, lines: lines, parser: parser)
                return
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let key = keys.first ?? ""
                guard
                    let first = YAMLDocument.locate(
                        key, in: lines, after: context.mark.line - 1, column: context.mark.column)
                else {
                    problems.append(
                        ConfigProblem("the key '\(key)' is written twice.", at: YAMLDocument.place(context.mark, file)))
                    break
                }
                problems.append(
                    ConfigProblem(
                        "the key '\(key)' is written twice; the first is in line \(context.mark.line). Keep one.",
                        at: Place(file: file, line: first.line + 1, column: first.column)))
                lines[first.line].replaceSubrange(first.range, with: "\"\(YAMLDocument.duplicateEscape)\(round)\"")
            } catch let error as YamlError {
                problems.append(YAMLDocument.problem(error, in: lines.joined(separator: "\n"), file: file))
                break
            } catch {
                problems.append(ConfigProblem("\(error)", at: Place(file: file)))
                break
            }
        }
        self.init(root: nil, problems: problems)
    }

    private init(root: Node?, problems: [ConfigProblem], lines: [String] = [], parser: Parser? = nil) {
        self.lines = lines
        self.root = root
        self.problems = problems
        self.parser = parser
    }

    /// The blanks before the first line that says something below a line, counted from 1.
    func indent(below line: Int) -> Int? {
        lines.dropFirst(line).first { $0.contains { $0 != " " } }?.prefix { $0 == " " }.count
    }

    /// The root; nil where nothing is written.
    var content: Node? {
        if case .scalar(let scalar)? = root, scalar.string.isEmpty { return nil }
        return root
    }

    /// The text of a file.
    ///
    /// - Throws: ``ConfigProblems`` with the place at which it ceases to be UTF-8.
    static func text(of bytes: Data, _ file: String) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigProblems([
                ConfigProblem(
                    "not UTF-8 text from here on. Save it as UTF-8.", at: YAMLDocument.place(ofInvalidIn: bytes, file))
            ])
        }
        return text
    }

    /// How ``duplicateMark`` is written inside a double-quoted YAML scalar.
    private static let duplicateEscape = "duplicate\\x01"

    /// The next line after the first occurrence on which the key stands in the same column.
    private static func locate(
        _ key: String, in lines: [String], after line: Int, column: Int
    ) -> (line: Int, column: Int, range: Range<String.Index>)? {
        for index in lines.indices where index > line {
            let text = lines[index]
            let indent = text.prefix { $0 == " " }.count
            let body = text.dropFirst(indent)
            if body.isEmpty || body.hasPrefix("#") { continue }
            if indent + 1 < column { return nil }
            guard indent + 1 == column else { continue }
            for written in [key, "\"\(key)\"", "'\(key)'"] where body.hasPrefix(written) {
                let after = body.dropFirst(written.count).drop { $0 == " " }
                if after.hasPrefix(":") {
                    return (index, column, body.startIndex..<body.index(body.startIndex, offsetBy: written.count))
                }
            }
        }
        return nil
    }

    private static func place(ofByte offset: Int, in text: String, _ file: String) -> Place {
        let before = text.utf8.prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let ofLine = before.reversed().prefix { $0 != UInt8(ascii: "\n") }
        return Place(file: file, line: line, column: ofLine.count { $0 & 0xC0 != 0x80 } + 1)
    }

    /// Where bytes cease to be UTF-8.
    static func place(ofInvalidIn bytes: some Collection<UInt8>, _ file: String) -> Place {
        var (decoder, input) = (UTF8(), bytes.makeIterator())
        var (line, column) = (1, 1)
        while case .scalarValue(let scalar) = decoder.decode(&input) {
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        return Place(file: file, line: line, column: column)
    }

    private static func place(_ mark: Mark, _ file: String) -> Place {
        Place(file: file, line: mark.line, column: mark.column)
    }

    /// Whether a tab is among the blanks with which a line begins, where a mistake was found in it or right after them.
    private static func begins(line: Int, of text: String, withTabBefore column: Int) -> Bool {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(line - 1) else { return false }
        let blanks = lines[line - 1].utf8.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return blanks.contains(UInt8(ascii: "\t")) && column <= blanks.count + 1
    }

    /// What to do about what libyaml says (https://github.com/yaml/libyaml/blob/master/src/scanner.c).
    private static let advice = [
        "mapping values are not allowed in this context": " Put a text that holds ': ' in quotes.",
        "could not find expected ':'":
            " This line, or the one before it, has no ':' after its key, or is indented too little.",
        "found character that cannot start any token": " Put a text that begins with %, @ or ` in quotes.",
        "did not find expected ',' or '}'": " A quote or a bracket before it may not be closed.",
        "did not find expected node content":
            " Put the text in quotes, or write 'key: |' and the text below, indented.",
    ]

    private static func problem(_ error: YamlError, in text: String, file: String) -> ConfigProblem {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let around = context.map { " (\($0.text))" } ?? ""
            let hint =
                YAMLDocument.begins(line: mark.line, of: text, withTabBefore: mark.column)
                ? " YAML does not allow tabs for indentation; use spaces." : advice[problem] ?? ""
            return ConfigProblem("not valid YAML: \(problem)\(around).\(hint)", at: place(mark, file))
        case .reader(let problem, let offset, _, let yaml):
            return ConfigProblem("not valid YAML: \(problem).", at: place(ofByte: offset ?? 0, in: yaml, file))
        default:
            return ConfigProblem("not valid YAML: \(error)", at: Place(file: file, line: 1, column: 1))
        }
    }
}
