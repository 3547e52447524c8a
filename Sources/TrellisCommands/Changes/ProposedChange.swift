import TrellisKernel

/// The config that a command proposes: a file, or the configuration as it stands.
struct ProposedChange {
    let change: ConfigChange

    init(_ global: GlobalOptions, _ file: String?) throws {
        let current = try global.load(file: file)
        try current.checkWhole()
        var after = current
        if file != nil {
            // A file of another folder is to stand where the configuration stands.
            after = try global.placed(current.text)
            try after.checkWhole()
        }
        for warning in after.warnings { TrellisProgram.note("warning: \(warning)") }
        change = try ConfigChange(to: after, plugins: TrellisProgram.plugins)
    }
}

extension ConfigChange {
    /// Plans, and prints the plan; nil where there is nothing to plan, which is said.
    func shownPlan(_ global: GlobalOptions) async throws -> [PlannedChange]? {
        if isInForce {
            guard rebuilding.isEmpty else {
                let commands = rebuilding.map { "'trellis plugins rebuild \($0)'" }.joined(separator: " and ")
                throw KernelError.usage("This config is in force already. \(commands) makes the tables anew under it.")
            }
            global.json ? print("[]") : print("This config is in force. Nothing would change.")
            return nil
        }
        guard before != nil else {
            global.json
                ? print("[]")
                : print("No config was in force for this file yet: this is the first, and changes nothing.")
            return []
        }
        let changes = try await plan { TrellisProgram.progress($0) }
        TrellisProgram.progress(nil)
        if changes.isEmpty, !global.json {
            print("No row would change at once, and no other mail would go out within a day.")
        } else {
            PlannedChange.table(changes).show(global.format)
        }
        for name in rebuildable where !rebuilding.contains(name) {
            TrellisProgram.note("What \(name) made of the log so far stays as it is; --rebuild \(name) makes it anew.")
        }
        return changes
    }
}
