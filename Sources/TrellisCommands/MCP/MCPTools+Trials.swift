import Foundation
import TrellisKernel

/// Tools that try something: on a copy of the file, by the commands that people have for it, in a process of its own.
extension MCPTools {
    var trying: [MCPTool] { [plan, simulate] }

    private static let config = [
        MCPTool.Argument(
            "text", "string",
            """
            The whole text of the config. ${NAME}, absolute paths and .. may stand only where config.yaml has the same value under the \
            same keys.
            """),
        MCPTool.Argument(
            "file", "string",
            "In place of text, and under its rules: a .yaml file in the folder of config.yaml, such as new.yaml."),
    ]

    /// Why nobody is named; nil where nothing is hidden. Whoever proposes chooses the condition, and so whom it names.
    private var namesNobody: String? {
        kernel.config.site.server.admin.sql.hidden.isEmpty
            ? nil
            : """
            who is not given here: server.admin.sql.hidden hides columns, and a config may ask for what is in them. \
            Leave it out for counts alone.
            """
    }

    private var plan: MCPTool {
        MCPTool(
            "plan", title: "What would a config change?",
            """
            Holds a config against the one in force: stages, scores and thresholds, who enters or leaves what, mails within a day. \
            Without text and file, config.yaml as it stands. Gives the table of 'trellis plan', then the same as JSON. Both are tried on \
            copies, for \(trials.secondsMax) s at most: nothing is changed and nothing is sent. A person puts it into force: trellis apply.
            """,
            arguments: MCPTools.config + [
                MCPTool.Argument(
                    "rebuild", "string",
                    "A plugin made anew from the log with it, such as scoring; several with commas."),
                MCPTool.Argument(
                    "who", "integer",
                    namesNobody
                        ?? "How many leads of each change are named too, by id and masked address: from 1 to \(PlannedNames.most)."
                ),
            ]
        ) { given in
            let config = try proposed(given)
            let plugins = (given["rebuild"]?.scalarText ?? "").split(separator: ",").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            for name in plugins where !kernel.pluginTypes.contains(where: { $0.name == name }) {
                let hint = NearMiss.hint(name, among: kernel.pluginTypes.map { $0.name })
                throw KernelError.usage("There is no plugin '\(name.prefix(60))'.\(hint)")
            }
            let who = try MCPTools.number("who", given, 1...Int64(PlannedNames.most))
            if who != nil, let namesNobody { throw KernelError.usage(namesNobody) }
            return try tried(
                ["plan"] + (config == nil ? [] : ["-"]) + plugins.flatMap { ["--rebuild", $0] }
                    + (who.map { ["--who", "--who-most", "\($0)"] } ?? []) + ["--and-json"], config: config)
        }
    }

    private var simulate: MCPTool {
        MCPTool(
            "simulate", title: "What would come of it?",
            """
            Lives through the days to come on a copy of the file, with people who do what people like them did: leads by stage, \
            sequences, handoffs, mails, as 'trellis simulate' prints them. With text or file two configs have the same luck, and what \
            differs is theirs. It takes \(trials.secondsMax) s at most; nothing is changed and nothing is sent.
            """,
            arguments: [
                MCPTool.Argument(
                    "days", "integer", "How many: from 1 to \(MCPTools.daysMax).", isRequired: true),
                MCPTool.Argument(
                    "leads_per_day", "integer",
                    "New leads a day, at most \(MCPTools.leadsMax); without it as many as came lately."),
                MCPTool.Argument("seed", "integer", "Another number, other luck; 1 without it."),
            ] + MCPTools.config
        ) { given in
            let config = try proposed(given)
            let days = try MCPTools.number("days", given, 1...MCPTools.daysMax) ?? 1
            let leads = try MCPTools.number("leads_per_day", given, 0...MCPTools.leadsMax)
            let seed = try MCPTools.number("seed", given, 0...Int64.max)
            return try tried(
                ["simulate", "--for", "\(days)d"] + (leads.map { ["--leads-per-day", "\($0)"] } ?? [])
                    + (seed.map { ["--seed", "\($0)"] } ?? []) + (config == nil ? [] : ["--with", "-"]), config: config)
        }
    }

    /// As long as `trellis simulate` goes.
    private static let daysMax: Int64 = 366
    /// What a day of more would hold takes longer than anybody waits.
    private static let leadsMax: Int64 = 10_000

    private static func number(
        _ name: String, _ given: JSONValue, _ range: ClosedRange<Int64>
    ) throws -> Int64? {
        guard case .integer(let number)? = given[name] else { return nil }
        guard range.contains(number) else {
            let most = range.upperBound == .max ? "" : " to \(range.upperBound)"
            throw KernelError.usage("\(name) takes a whole number from \(range.lowerBound)\(most).")
        }
        return number
    }

    // MARK: - The other config

    /// The text of the config that is asked about; nil where it is the one that stands there.
    ///
    /// - Throws: ``ConfigProblems`` where it reaches for secrets or for files elsewhere: the process that tries it has
    ///   the whole environment, and what it says goes to the assistant.
    private func proposed(_ given: JSONValue) throws -> String? {
        let (text, name) = (given["text"]?.scalarText, given["file"]?.scalarText)
        guard text == nil || name == nil else { throw KernelError.usage("Give text or file, and not both.") }
        guard let proposed = try text ?? name.map(read) else { return nil }
        try kernel.config.refuseReach(of: proposed, called: "the new config")
        return proposed
    }

    private func read(_ name: String) throws -> String {
        guard let folder = MCPTools.realPath(kernel.config.folder),
            let path = MCPTools.realPath(kernel.config.path(name)),
            path.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/"),
            path.hasSuffix(".yaml") || path.hasSuffix(".yml")
        else {
            throw KernelError.usage(
                "There is no config '\(name.prefix(100))' in the folder of config.yaml. Name a .yaml file there, such as new.yaml."
            )
        }
        guard let bytes = FileManager.default.contents(atPath: path),
            let read = String(validating: bytes, as: UTF8.self)
        else { throw KernelError.usage("The file \(name.prefix(100)) cannot be read as UTF-8 text.") }
        return read
    }

    /// Where a path leads to by way of links (realpath(3)); nil where nothing is there.
    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Runs a command of this program on the file that is asked here, and gives what it says.
    private func tried(_ words: [String], config: String?) throws -> MCPTool.Answer {
        let file = kernel.config.path((kernel.config.file as NSString).lastPathComponent)
        let outcome = try trials.run(
            words + ["--config", file, "--database", kernel.config.databasePath], input: config)
        let notes = outcome.notes.split(separator: "\n").map { $0.hasPrefix("trellis: ") ? $0.dropFirst(9) : $0 }
        let said = [outcome.output.trimmingCharacters(in: .newlines), notes.joined(separator: "\n")]
            .filter { !$0.isEmpty }
        return MCPTool.Answer(
            text: said.isEmpty ? "The process ended with code \(outcome.code)." : said.joined(separator: "\n\n"),
            isError: outcome.code != 0)
    }
}
