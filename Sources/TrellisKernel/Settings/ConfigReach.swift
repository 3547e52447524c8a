import Yams

extension Config {
    /// Refuses a proposed text that reaches for more than this config does, on behalf of somebody who shall see neither
    /// the environment nor the files of this machine.
    ///
    /// The two documents are compared before anything is expanded. `${` may stand only in a scalar that this config has
    /// word for word under the same keys; so may an absolute path, a path with `..`, and one that names `.env`. Places
    /// in a list count as keys.
    ///
    /// - Parameter name: what messages call the text.
    /// - Throws: ``ConfigProblems`` with the keys of each such value, never with a value; also where it is no YAML.
    public func refuseReach(of text: String, called name: String) throws {
        let (own, proposed) = (YAMLDocument(text: self.text, file: file), YAMLDocument(text: text, file: name))
        guard let root = proposed.root else {
            guard proposed.problems.isEmpty else { throw ConfigProblems(proposed.problems) }
            return
        }
        var reach = ConfigReach(file: name)
        withExtendedLifetime((own, proposed)) { reach.look(root, own.root) }
        guard reach.problems.isEmpty else { throw ConfigProblems(reach.problems) }
    }
}

/// Walks a proposed document beside the one in force.
private struct ConfigReach {
    let file: String
    private(set) var problems: [ConfigProblem] = []
    private var path: [String] = []

    /// More are not counted: whoever proposes reads the first ones.
    private static let problemsMax = 20
    private static let remedy = "Leave what config.yaml has at this key, or let a person try it: trellis plan FILE."

    init(file: String) {
        self.file = file
    }

    mutating func look(_ node: Node, _ own: Node?) {
        guard problems.count < ConfigReach.problemsMax else { return }
        guard node.anchor == nil else {
            return refuse("anchors and aliases are not read here. Write the value out.", node)
        }
        guard path.count <= SettingsReader.depthMax else {
            return refuse("nested more than \(SettingsReader.depthMax) levels deep. Flatten it.", node)
        }
        switch node {
        case .scalar(let scalar): look(scalar.string, own?.scalar?.string, node)
        case .mapping(let mapping):
            let pairs = own?.mapping.map { $0.compactMap { key, value in key.scalar.map { ($0.string, value) } } } ?? []
            let values = Dictionary(pairs) { first, _ in first }
            for (key, value) in mapping {
                let name = key.scalar?.string ?? "?"
                path.append(String(name.prefix(60)))
                // A key is not expanded, but may be the name of a file.
                if values[name] == nil, ConfigReach.leadsOut(name) { refusePath(key) }
                look(value, values[name])
                path.removeLast()
            }
        case .sequence(let sequence):
            let values = own?.sequence.map(Array.init) ?? []
            for (index, value) in sequence.enumerated() {
                path.append("\(index + 1)")
                look(value, index < values.count ? values[index] : nil)
                path.removeLast()
            }
        case .alias: refuse("anchors and aliases are not read here. Write the value out.", node)
        }
    }

    private mutating func look(_ text: String, _ own: String?, _ node: Node) {
        // By bytes: texts that are equal to a reader may name different files.
        if let own, own.utf8.elementsEqual(text.utf8) { return }
        if zip(text.utf8, text.utf8.dropFirst()).contains(where: { $0 == UInt8(ascii: "$") && $1 == UInt8(ascii: "{") })
        {
            refuse("a value of the environment, '${…}', is not for a proposed config. \(ConfigReach.remedy)", node)
        } else if ConfigReach.leadsOut(text) {
            refusePath(node)
        }
    }

    /// Whether a text, taken for a path, leads out of the folder of the config, or to its secrets.
    private static func leadsOut(_ text: String) -> Bool {
        text.utf8.first == UInt8(ascii: "/")
            || text.utf8.split(separator: UInt8(ascii: "/")).contains {
                $0.elementsEqual("..".utf8) || $0.starts(with: ".env".utf8)
            }
    }

    private mutating func refusePath(_ node: Node) {
        refuse(
            "a path that begins with '/', has '..' in it or names .env is not for a proposed config. \(ConfigReach.remedy)",
            node)
    }

    private mutating func refuse(_ message: String, _ node: Node) {
        let (line, column) = (node.mark?.line ?? 0, node.mark?.column ?? 0)
        problems.append(
            ConfigProblem(
                message, at: Place(file: file, line: line, column: column, path: path.joined(separator: "."))))
    }
}
