import Foundation
import TrellisKernel

/// `trellis scoring …`.
struct ScoringCommands {
    let settings: ScoringSettings

    var all: [Command] {
        [
            Command("scoring", "The rules, how many leads each fits, and the points it gave.") { call in
                .table(try call.kernel.read { try ScoreCard.rules($0) })
            },
            Command(
                "scoring explain", "Why a lead has its score: every entry with its rule, its decay and its event.",
                arguments: ["LEAD"], options: ["model": ScoringCommands.modelHelp], run: explain),
            Command(
                "scoring add", "Give points by hand, or take them: the ledger says who and why.",
                arguments: ["LEAD", "POINTS", "REASON"],
                options: [
                    "axis": "engagement (the default) or fit",
                    "by": "who gives them; the user of this shell without it",
                    "model": ScoringCommands.modelHelp,
                ],
                run: add),
            Command(
                "scoring diff", "What another config would make of the scores, on a copy of the file.",
                arguments: ["NEW.yaml?"], options: ["with": "the same as NEW.yaml"],
                flags: ["leads": "all who come over a threshold or fall under it, in place of how many"],
                otherConfig: "with",
                run: difference),
        ]
    }

    static let modelHelp = "One of scoring.models; without it, main"

    private func explain(_ call: CommandCall) throws -> CommandResult {
        try call.kernel.read { db in
            let card = ScoreCard(
                leadID: try LeadReference(call.arguments[0]).find(db), model: try settings.model(call.options["model"]))
            return .tableWithNote(
                try card.entries(db, at: call.kernel.clock.now()), try card.lines(db).first?.text ?? "No points yet.")
        }
    }

    private func add(_ call: CommandCall) throws -> CommandResult {
        let axis = call.options["axis"] ?? "engagement"
        guard ["fit", "engagement"].contains(axis) else {
            throw KernelError.usage("There is no axis '\(axis)'. Say fit or engagement.")
        }
        let most = Adjustment.pointsMax
        guard let points = Int(call.arguments[1]), points != 0, (-most...most).contains(points) else {
            throw KernelError.usage(
                "'\(call.arguments[1])' is no number of points: a whole number from -\(most) to \(most), not 0.")
        }
        guard !call.arguments[2].isEmpty else { throw KernelError.usage("Say why: the next reader of the score asks.") }
        let model = try settings.model(call.options["model"])
        return try call.kernel.write(origin: "cli") { tx in
            let lead = try LeadReference(call.arguments[0]).find(tx.db)
            try Adjustment(
                lead: lead, model: model.name, axis: axis, points: points, author: call.options["by"] ?? NSUserName(),
                reason: call.arguments[2]
            ).make(tx)
            return .text(
                "Lead \(lead): \(points > 0 ? "+" : "")\(points) \(axis)\(model.isMain ? "" : " of \(model.name)"), counted when the worker comes by."
            )
        }
    }

    private func difference(_ call: CommandCall) throws -> CommandResult {
        guard call.arguments.isEmpty || call.options["with"] == nil else {
            throw KernelError.usage("Name the other config once: trellis scoring diff \(call.arguments[0])")
        }
        guard let file = call.arguments.first ?? call.options["with"] else {
            guard let worked = call.options["config"] else {
                throw KernelError.usage("Name the other config: trellis scoring diff new.yaml")
            }
            // The file was opened with that one, for it is in force or no other stands beside it: what it would change
            // is seen no more.
            throw KernelError.usage(
                "--config names the config that the file is worked with. Leave it as it is, and name the other one: trellis scoring diff new.yaml --config \(worked)"
            )
        }
        return try ScoreDifference(
            before: settings, trial: try TrialCopy(of: call.kernel, config: file),
            listsLeads: call.options["leads"] != nil
        ).result()
    }
}
