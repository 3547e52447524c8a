import Handoff
import TrellisKernel
import TrellisTesting

/// A CRM whose leads are handed off at mql.
enum HandoffSite {
    static let threeReps =
        "reps: {ann: {email: ann@acme.example}, ben: {email: ben@acme.example}, cy: {email: cy@acme.example}}"

    static func crm(_ handoff: String = threeReps, plugins: [any Plugin.Type] = []) throws -> TestKernel {
        let others = plugins.map { "\($0.name): {}" }.joined(separator: ", ")
        return try TestKernel(
            "plugins: {handoff: {\(handoff)}\(others.isEmpty ? "" : ", " + others)}", plugins: [Handoff.self] + plugins)
    }
}

/// A plugin with a line on the card of each lead, which is a reason to talk to it.
struct Stars: Plugin {
    static let name = "stars"
    static let summary = "Says how many stars a lead has, and why."
    init(settings: NoSettings) {}

    @HookBuilder var hooks: [any Hook] {
        Answer("line", LeadCard.self) { card, _ in
            [
                CardLine("stars", "lead \(card.leadID) has 5: demo +3, title +2", reason: "5 stars: demo +3, title +2"),
                CardLine("size", "small"),
            ]
        }
    }
}

extension TestKernel {
    /// Leads that are at mql when they come; one batch.
    func qualified(_ count: Int, country: String = "DE") throws {
        let first = try Int(value("SELECT count(*) FROM leads") ?? "0") ?? 0
        for number in first..<(first + count) {
            try capture(["email": "l\(number + 1)@lead.example", "stage": "mql", "country": country])
        }
        try pump()
    }

    /// The reps of all handoffs in their order, `-` for the queue.
    var reps: String {
        get throws { try rows("SELECT coalesce(rep, '-') FROM handoff_handoffs ORDER BY id").joined(separator: " ") }
    }

    /// `lead|cycle|rep|state|reason`
    var handoffs: [String] {
        get throws { try rows("SELECT lead_id, cycle, rep, state, reason FROM handoff_handoffs ORDER BY id") }
    }
}
