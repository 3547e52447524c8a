import Foundation
import TrellisKernel

/// The config that a command proposes: a file, or the configuration as it stands.
struct ProposedChange {
    let change: ConfigChange

    /// In place of the name of a file.
    static let standardInput = "-"

    /// - Parameter file: `-` is the standard input.
    init(_ global: GlobalOptions, _ file: String?) throws {
        var after: Config
        if file == ProposedChange.standardInput {
            after = try global.typed()
        } else {
            after = try global.load(file: file)
            try after.checkWhole()
            // A file of another folder is to stand where the configuration stands.
            if file != nil { after = try global.placed(after.text) }
        }
        if file != nil { try after.checkWhole() }
        for warning in after.warnings { TrellisProgram.note("warning: \(warning)") }
        change = try ConfigChange(to: after, plugins: TrellisProgram.plugins)
    }
}

extension GlobalOptions {
    /// The text on the standard input as the configuration, in the place of the file.
    ///
    /// - Throws: ``KernelError/data(_:)`` where it is no text, ``ConfigProblems`` for all that is wrong with it.
    func typed() throws -> Config {
        let bytes = try FileHandle.standardInput.readToEnd() ?? Data()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw KernelError.data("What stands on the standard input is no UTF-8 text.")
        }
        return try placed(text)
    }
}

extension ConfigChange {
    /// Plans, and prints the plan; nil where there is nothing to plan, which is said.
    ///
    /// - Parameter leadsMax: how many leads of each change are named too; 0 for none.
    func shownPlan(_ global: GlobalOptions, naming leadsMax: Int = 0) async throws -> [PlannedChange]? {
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
        let changes = try await plan(naming: leadsMax) { TrellisProgram.progress($0) }
        TrellisProgram.progress(nil)
        if changes.isEmpty, !global.json {
            print("No row would change at once, and no other mail would go out within a day.")
        } else if global.json {
            PlannedNames(changes: changes).show(naming: leadsMax)
        } else {
            PlannedChange.table(changes).show()
            for line in PlannedNames(changes: changes).lines { print(line) }
        }
        for name in rebuildable where !rebuilding.contains(name) {
            TrellisProgram.note("What \(name) made of the log so far stays as it is; --rebuild \(name) makes it anew.")
        }
        for column in columnsLeft {
            TrellisProgram.note(
                "The column \(column) stays with its data, though its field is no longer in the config.")
        }
        return changes
    }
}
