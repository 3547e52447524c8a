import Foundation
import TrellisKernel

/// Gives qualified leads to reps with the reasons, and takes them back when they are rejected. Each handoff is a state
/// machine on a row: queued → offered → accepted or rejected.
public struct Handoff: Plugin {
    public static let name = "handoff"
    public static let summary = "Routes qualified leads to reps, who accept or reject them."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static let events = [
        EventDeclaration("handoff.offered", ["rep": .text, "cycle": .integer]),
        EventDeclaration("handoff.queued", ["cycle": .integer]),
        EventDeclaration("handoff.accepted", ["rep": .text]), EventDeclaration("handoff.rejected", ["rep": .text]),
        EventDeclaration("handoff.withdrawn"), EventDeclaration("handoff.recycle_due", ["into": .text]),
    ]
    public static let mails = [
        "handoff-offer": """
        ---
        subject: New lead: {{lead_name}}
        purpose: transactional
        ---
        {{lead_name}} is yours.

        {{lead_facts}}

        {{lead_card|}}

        What happened, the newest first: {{lead_history}}

        Accept or give it back:

        `trellis handoff accept {{handoff}}`
        `trellis handoff reject {{handoff}} "reason"`
        """
    ]
    public static var cardColumns: KeyValuePairs<String, String> {
        [
            "handoff_state": "SELECT state FROM handoff_handoffs WHERE lead_id = leads.id ORDER BY cycle DESC LIMIT 1",
            "rep": "SELECT rep FROM handoff_handoffs WHERE lead_id = leads.id ORDER BY cycle DESC LIMIT 1",
        ]
    }
    public static let invariants = [
        Invariant(
            "a lead is in one pair of hands",
            violations:
                "SELECT lead_id FROM handoff_handoffs WHERE state IN ('queued', 'offered', 'accepted') GROUP BY lead_id HAVING count(*) > 1"
        ),
        Invariant(
            "cycles of handoffs are counted without a gap",
            violations: "SELECT lead_id FROM handoff_handoffs GROUP BY lead_id HAVING max(cycle) <> count(*)"),
    ]

    let settings: HandoffSettings

    public init(settings: HandoffSettings) {
        self.settings = settings
    }

    public func check(_ check: ConfigCheck) {
        check.stage(settings.at)
        for route in settings.route {
            if let condition = route.when { check.leadPredicate(condition) }
        }
    }

    @HookBuilder public var hooks: [any Hook] {
        Subscribe("offer", to: ["lead.created", "lead.stage_changed", "lead.restored"], from: .nextEvent) { _, tx in
            try Routing(settings: settings, tx: tx).offerFromBatch()
        }
        Subscribe(
            "let-go", to: ["lead.deleted", "lead.erased", "lead.merged", "handoff.recycle_due"], from: .nextEvent
        ) { _, tx in
            try Answers(settings: settings, tx: tx).letGo()
        }
        Answer("offer-mail", TemplateValues.self) { question, db in
            guard question.template == "handoff-offer", let lead = question.leadID else { return [:] }
            return try Briefing(leadID: lead).values(db)
        }
        Answer("card-line", LeadCard.self) { card, db in
            try Row.fetchAll(
                db,
                sql: "SELECT cycle, state, rep, route, reason FROM handoff_handoffs WHERE lead_id = ? ORDER BY cycle",
                arguments: [card.leadID]
            ).map { row in
                let reason = (row["reason"] as String?).map { " (\($0))" } ?? ""
                return CardLine(
                    "handoff",
                    "\(row["state"] as String)\(reason) to \(row["rep"] as String? ?? "the queue") by \(row["route"] as String)"
                )
            }
        }
        Answer("handoffs", Report.self) { _, db in [ReportSection("Handoffs", try overview(db))] }
    }

    private func overview(_ db: Database) throws -> Table {
        Table(
            columns: ["rep", "offered", "accepted", "rejected", "queued"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT coalesce(rep, '(queue)'), count(*) FILTER (WHERE state = 'offered'), count(*) FILTER (WHERE state IN ('accepted', 'converted')),
                           count(*) FILTER (WHERE state = 'rejected'), count(*) FILTER (WHERE state = 'queued')
                    FROM handoff_handoffs GROUP BY rep ORDER BY rep IS NULL, rep
                    """))
    }

    public var commands: [Command] {
        [
            Command("handoff", "How many leads each rep has.") { call in
                .table(try call.kernel.read { try overview($0) })
            },
            Command("handoff list", "Open handoffs, oldest first.", options: ["rep": "only this rep's"]) { call in
                .table(
                    try call.kernel.read { db in
                        Table(
                            columns: ["handoff", "lead", "company", "state", "rep", "route", "offered_at"],
                            try Row.fetchAll(
                                db,
                                sql: """
                                    SELECT h.id, coalesce(l.email, l.external_id, l.phone), l.company, h.state, h.rep, h.route, h.offered_at
                                    FROM handoff_handoffs AS h LEFT JOIN leads AS l ON l.id = h.lead_id
                                    WHERE h.state IN ('queued', 'offered', 'accepted') AND (:rep IS NULL OR h.rep = :rep) ORDER BY h.id
                                    """, arguments: ["rep": call.options["rep"]]))
                    })
            },
            Command(
                "handoff accept", "The rep takes the lead: it becomes a sales accepted lead.", arguments: ["HANDOFF"]
            ) { call in
                try call.kernel.write(origin: "cli") {
                    try Answers(settings: settings, tx: $0).accept(call.arguments[0])
                }
            },
            Command(
                "handoff reject", "The rep gives the lead back to marketing, with the reason.",
                arguments: ["HANDOFF", "REASON"]
            ) { call in
                try call.kernel.write(origin: "cli") {
                    try Answers(settings: settings, tx: $0).reject(call.arguments[0], reason: call.arguments[1])
                }
            },
            Command("handoff assign", "Give a queued lead to a rep.", arguments: ["HANDOFF", "REP"]) { call in
                try call.kernel.write(origin: "cli") {
                    try Answers(settings: settings, tx: $0).assign(call.arguments[0], to: call.arguments[1])
                }
            },
            Command(
                "handoff convert", "The lead becomes a contact with an opportunity at its account.",
                arguments: ["HANDOFF"], options: ["amount": "of the opportunity"]
            ) { call in
                try call.kernel.write(origin: "cli") {
                    try Answers(settings: settings, tx: $0).convert(call.arguments[0], amount: call.options["amount"])
                }
            },
        ]
    }
}
