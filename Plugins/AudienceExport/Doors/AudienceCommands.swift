import Foundation
import TrellisKernel

/// The commands of the plugin, as values.
struct AudienceCommands {
    let audiences: Audiences

    var all: [Command] { [list("audiences"), list("audiences list"), show, verify, refresh] + files }

    private func list(_ path: String) -> Command {
        Command(path, "The audiences, how many are in them, how many may be exported, and how members are kept.") {
            call in
            .table(try call.kernel.read { try overview(call).table($0) })
        }
    }

    private func overview(_ call: CommandCall) -> Overview {
        Overview(audiences: audiences, stamp: Timestamp.text(call.kernel.clock.now()))
    }

    private var show: Command {
        Command(
            "audiences show", "Why members of an audience are in its files or not, and its files so far.",
            arguments: ["NAME"]
        ) { call in
            let audience = try audiences.require(call.arguments[0])
            return try call.kernel.read { db in
                let overview = self.overview(call)
                let note = [try overview.clock(audience, db), try overview.files(audience, db)].compactMap { $0 }
                return .tableWithNote(try overview.reasons(audience, db), note.joined(separator: "\n"))
            }
        }
    }

    private var verify: Command {
        Command("audiences verify", "Recompute the test vectors that the platforms publish.") { _ in
            let rows = TestVector.all.map { vector -> [Cell] in
                [
                    .text(vector.platform), .text(vector.input), .text(vector.found ?? "(refused)"),
                    (vector.found.map { Digest.hex($0) }).map(Cell.text) ?? .null,
                    .text(vector.holds ? "holds" : "DIFFERS"), .text(vector.source),
                ]
            }
            let table = Table(columns: ["platform", "input", "normalised", "sha256", "outcome", "source"], rows: rows)
            let wrong = TestVector.all.count { !$0.holds }
            guard wrong == 0 else {
                throw KernelError.data(
                    "\(wrong) of \(rows.count) test vectors differ. Do not upload files of this program.")
            }
            return .tableWithNote(table, "All \(rows.count) test vectors hold.")
        }
    }

    private var refresh: Command {
        Command("audiences refresh", "Look at every audience again, now.") { call in
            try call.kernel.write(origin: "plugin:audiences") {
                try Membership(audiences: audiences, tx: $0).refreshAll()
            }
            return .table(try call.kernel.read { try overview(call).table($0) })
        }
    }

    // MARK: - Files

    private var files: [Command] {
        let platforms = Platform.names.joined(separator: ", ")
        let platform = (key: "platform", value: "\(platforms); the first of the config without it")
        let anyway = (
            key: "anyway",
            value: "Write a list that is too small to reach anybody, or for a platform the audience does not name."
        )
        let split = (key: "split", value: "Files of as many rows as the platform takes at once.")
        return [
            Command(
                "audiences export", "Write the file of an audience for a platform, and that of who must be taken off.",
                arguments: ["NAME"],
                options: [platform.key: platform.value, "output": "the file; NAME-PLATFORM.csv without it"],
                flags: [
                    "diff": "Write only who came since the last accepted file.", anyway.key: anyway.value,
                    split.key: split.value,
                ]
            ) { call in .text(try export(call, isDifference: call.options["diff"] != nil)) },
            Command(
                "audiences diff", "Who would be added to a list and taken off it, and why. Nothing is written.",
                arguments: ["NAME"], options: [platform.key: platform.value]
            ) { call in try difference(call) },
            Command(
                "audiences accept", "Say that a platform has taken the files of an export.", arguments: ["EXPORT"]
            ) { call in
                guard let id = Int64(call.arguments[0]) else {
                    throw KernelError.usage("'\(call.arguments[0])' is no number of an export.")
                }
                return .text(
                    try call.kernel.write(origin: "plugin:audiences") { try Acceptance(export: id, tx: $0).note() })
            },
            Command(
                "audiences conversions", "Write which clicks led to a stage, for a platform; each is written once.",
                options: [
                    "platform": "\(Conversions.forms.keys.sorted().joined(separator: ", "))",
                    "stages": "stages to report, joined by commas; mql,sql,customer without it",
                    "consent": "the purpose a lead must have agreed to; ads without it",
                    "output": "the file; conversions-PLATFORM.csv without it",
                ]
            ) { call in .text(try conversions(call)) },
            Command(
                "audiences seed", "Write an audience with what each is worth, to find more like the best.",
                arguments: ["NAME"],
                options: ["platform": "meta", "output": "the file; NAME-PLATFORM-seed.csv without it"],
                flags: [anyway.key: "Write one that is too small to find anybody by."]
            ) { call in
                let audience = try audiences.require(call.arguments[0])
                let platform = try self.platform(call.options["platform"] ?? "meta")
                let path = call.options["output"] ?? "\(audience.name)-\(platform.name)-seed.csv"
                let seed = Seed(
                    audience: audience, audiences: audiences, platform: platform,
                    isAnyway: call.options["anyway"] != nil, path: path)
                let written = try call.kernel.write(origin: "plugin:audiences") { try seed.write($0) }
                try Publication.confirm([path])
                return .text("\(path): \(written.members) leads with a value, for \(platform.name).")
            },
        ]
    }

    private func platform(_ name: String) throws -> Platform {
        guard let platform = Platform.named(name) else {
            throw KernelError.usage(
                "There is no platform '\(name)'.\(NearMiss.hint(name, among: Platform.names)) There are: \(Platform.names.joined(separator: ", "))."
            )
        }
        return platform
    }

    private func order(_ call: CommandCall, path: String? = nil) throws -> Export {
        let audience = try audiences.require(call.arguments[0])
        let platform = try platform(call.options["platform"] ?? audience.value.platforms.first?.value ?? "google")
        return Export(
            audience: audience, audiences: audiences, platform: platform,
            isSplit: call.options["split"] != nil, isAnyway: call.options["anyway"] != nil,
            path: path ?? call.options["output"] ?? "\(audience.name)-\(platform.name).csv")
    }

    private func export(_ call: CommandCall, isDifference: Bool) throws -> String {
        var order = try order(call)
        order.isDifference = isDifference
        let export = order
        let platforms = export.audience.value.platforms.map(\.value)
        guard platforms.isEmpty || platforms.contains(export.platform.name) || export.isAnyway else {
            throw KernelError.usage(
                "\(export.audience.name) is for \(platforms.joined(separator: ", ")), and not for \(export.platform.name). "
                    + "Name the platform under platforms: of the audience, or add --anyway."
            )
        }
        let outcome = try call.kernel.write(origin: "plugin:audiences") { try export.write($0) }
        try Publication.confirm(outcome.files + outcome.removalFiles)
        return Summary(export: export, outcome: outcome).text
    }

    /// The files are written where nobody sees them and the transaction is undone: so what is shown is what would
    /// happen.
    private func difference(_ call: CommandCall) throws -> CommandResult {
        let folder = NSTemporaryDirectory() + "trellis-diff-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var order = try order(call, path: folder + "/diff.csv")
        order.isDifference = true
        let export = order
        struct Undo: Error { let outcome: Export.Outcome }
        do {
            try call.kernel.write(origin: "plugin:audiences") { throw Undo(outcome: try export.write($0)) }
            return .table(Table(columns: []))
        } catch let undo as Undo {
            let outcome = undo.outcome
            let rows: [(action: String, reason: String, leads: Int)] =
                [("add", "new, or due again", outcome.members)]
                + outcome.removalReasons.map { ("remove", $0.reason, $0.leads) }
                + outcome.withheld.sorted { $0.key < $1.key }.map { ("withhold", $0.key, $0.value) }
            let table = Table(
                columns: ["action", "reason", "leads"],
                rows: rows.filter { $0.leads > 0 }.map {
                    [.text($0.action), .text($0.reason), .integer(Int64($0.leads))]
                })
            let isSame = outcome.members == 0 && outcome.removalReasons.allSatisfy { $0.leads == 0 }
            return isSame
                ? .tableWithNote(
                    table,
                    "Nobody is to be added to the list of \(export.audience.name) on \(export.platform.name), and nobody taken off it."
                ) : .table(table)
        }
    }

    private func conversions(_ call: CommandCall) throws -> String {
        let platform = try platform(call.options["platform"] ?? "google")
        let stages = (call.options["stages"] ?? "mql,sql,customer").split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        let known = call.kernel.config.site.leads.allStages
        for stage in stages where call.options["stages"] != nil && !known.contains(stage) {
            throw KernelError.usage("There is no stage '\(stage)'.\(NearMiss.hint(stage, among: known))")
        }
        let path = call.options["output"] ?? "conversions-\(platform.name).csv"
        let conversions = Conversions(
            platform: platform, path: path, stages: stages, consent: call.options["consent"] ?? "ads")
        let written = try call.kernel.write(origin: "plugin:audiences") { try conversions.write($0) }
        try Publication.confirm([path])
        return "\(path): \(written.rows) conversions for \(platform.name)."
    }

    /// What whoever asked for an export is told.
    struct Summary {
        let export: Export
        let outcome: Export.Outcome

        var text: String {
            let name = export.platform.name
            var sentences: [String] = []
            let files =
                outcome.files.count > 1
                ? "\(outcome.files[0]) and \(outcome.files.count - 1) more" : outcome.files.first
            if let files { sentences.append("\(files): \(outcome.members) of \(outcome.total) members for \(name).") }
            if outcome.files.isEmpty { sentences.append("Nobody is to be added to the list on \(name).") }
            if !outcome.withheld.isEmpty {
                let reasons = outcome.withheld.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
                sentences.append("Withheld: \(reasons.joined(separator: ", ")).")
            }
            if outcome.removals > 0 {
                let reasons = outcome.removalReasons.map { "\($0.leads) × \($0.reason)" }
                sentences.append(
                    "\(outcome.removalFiles.first ?? ""): \(outcome.removals) to be taken off: \(reasons.joined(separator: ", "))."
                )
            }
            sentences.append("When \(name) has taken it: trellis audiences accept \(outcome.id)")
            return sentences.joined(separator: "\n")
        }
    }
}
