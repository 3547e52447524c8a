import Foundation
import Yams

/// Walks the nodes of a YAML file, types each scalar by what the schema asks for, and collects every problem on the
/// way.
///
/// Scalars are text until a setting types them, so `no` stays a text where a text is asked, and `1.10` stays 1.10.
public final class SettingsReader {
    /// What went wrong so far.
    public private(set) var problems: [ConfigProblem] = []
    /// What works but should be changed, such as a secret in clear text.
    public private(set) var warnings: [ConfigProblem] = []
    let environment: [String: String]
    private let file: String
    /// The `.env` beside the config, to say why it could not be read.
    private let dotEnv: String?
    private var path: [String] = []
    private var document: YAMLDocument?

    /// Nesting beyond this is refused: no real config is deeper, and recursion stays bounded.
    static let depthMax = 40

    init(file: String, environment: [String: String], dotEnv: String? = nil) {
        self.file = file
        self.dotEnv = dotEnv
        self.environment = environment
    }

    /// Where a node stands, with the keys that lead to it.
    func place(_ node: Node?) -> Place {
        let mark = node?.mark
        return Place(file: file, line: mark?.line ?? 0, column: mark?.column ?? 0, path: path.joined(separator: "."))
    }

    /// The same, with what leads from a byte of its text to a line of the file.
    func placeOfText(_ node: Node) -> Place {
        var place = place(node)
        if case .scalar(let scalar) = node, scalar.style == .literal {
            place.blockIndent = document?.indent(below: place.line)
        }
        return place
    }

    func problem(_ message: String, at node: Node?) {
        problems.append(ConfigProblem(message, at: place(node)))
    }

    func warn(_ message: String, at node: Node?) {
        warnings.append(ConfigProblem(message, at: place(node)))
    }

    func expected(_ what: String, at node: Node) {
        problem("expected \(what), got \(SettingsReader.describe(node)).", at: node)
    }

    /// Says of a node what was expected in place of what was found wrong with it since.
    func replaceProblems(after count: Int, by what: String, at node: Node) {
        problems.removeSubrange(count...)
        expected(what, at: node)
    }

    /// Takes over what is wrong with a document, and keeps the document while its nodes are read.
    func open(_ document: YAMLDocument) {
        self.document = document
        add(document.problems)
    }

    func add(_ problems: [ConfigProblem]) {
        self.problems += problems
    }

    /// Runs `body` one key deeper.
    func descend<T>(_ key: String, _ node: Node, _ body: () -> T?) -> T? {
        path.append(key)
        defer { path.removeLast() }
        guard path.count <= SettingsReader.depthMax else {
            problem("nested more than \(SettingsReader.depthMax) levels deep. Flatten it.", at: node)
            return nil
        }
        guard node.anchor == nil else {
            problem("anchors and aliases are not read here. Write the value out.", at: node)
            return nil
        }
        return body()
    }

    /// The text of a scalar with `${NAME}` replaced from the environment; `$${` stands for `${`.
    func scalar(_ node: Node, expecting what: String) -> String? {
        guard case .scalar(let scalar) = node else {
            expected(what, at: node)
            return nil
        }
        guard scalar.string.contains("${") else { return scalar.string }
        var output = ""
        var rest = Substring(scalar.string)
        while let open = rest.range(of: "${") {
            let before = rest[..<open.lowerBound]
            if before.last == "$" {
                output += before.dropLast() + "${"
                rest = rest[open.upperBound...]
                continue
            }
            output += before
            guard let close = rest[open.upperBound...].firstIndex(of: "}") else {
                problem("'${' without '}'.", at: node)
                return nil
            }
            let name = String(rest[open.upperBound..<close])
            guard let value = environment[name] else {
                let fault = dotEnv.flatMap(DotEnv.fault)
                problem(
                    "the environment variable \(name) is not set"
                        + (fault.map {
                            ", and .env beside the config cannot be read (\($0)). Let this user read it, or export it."
                        }
                            ?? ". Export it, or put it in .env beside the config."),
                    at: node)
                return nil
            }
            output += value
            rest = rest[rest.index(after: close)...]
        }
        return output + rest
    }

    /// The entries of a mapping in order; nil, with a problem noted, for anything else.
    func entries(_ node: Node, expecting what: String) -> [(key: String, keyNode: Node, value: Node)]? {
        guard case .mapping(let mapping) = node else {
            if case .scalar(let scalar) = node, scalar.string.isEmpty, scalar.style == .plain { return [] }
            expected(what, at: node)
            return nil
        }
        return mapping.compactMap { key, value in
            guard case .scalar(let scalar) = key else {
                problem("a key must be a plain word.", at: key)
                return nil
            }
            if scalar.string.hasPrefix(YAMLDocument.duplicateMark) { return nil }
            return (scalar.string, key, value)
        }
    }

    private static func describe(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string.prefix(60))'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
