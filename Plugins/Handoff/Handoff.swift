import Foundation
import TrellisKernel

/// Gives qualified leads to reps with the reasons, and takes them back when they are rejected or forgotten. Each
/// handoff is a state machine on a row: queued, offered, escalated, accepted, expired, rejected, recycled, converted,
/// withdrawn. Every move of it is a row of `handoff_transitions` and an event, whoever makes it.
public struct Handoff: Plugin {
    public static let name = "handoff"
    public static let summary = "Routes qualified leads to reps, who accept or reject them."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static var views: [ViewFile] { EmbeddedViews.files }
    public static let events = [
        EventDeclaration(
            "handoff.offered", ["rep": .text, "cycle": .integer, "offer": .integer],
            says: "was offered to {rep}[, offer {offer}]"),
        EventDeclaration("handoff.queued", ["cycle": .integer], says: "waits in the queue for a rep"),
        EventDeclaration(
            "handoff.accepted", ["rep": .text, "cycle": .integer, "offer": .integer], says: "was accepted by {rep}"),
        EventDeclaration(
            "handoff.escalated", ["rep": .text, "cycle": .integer, "offer": .integer],
            says: "{rep} did not react: somebody above was told"),
        EventDeclaration(
            "handoff.expired", ["rep": .text, "cycle": .integer, "offer": .integer], says: "the time of {rep} ran out"),
        EventDeclaration(
            "handoff.rejected", ["rep": .text, "cycle": .integer, "offer": .integer, "reason": .text],
            says: "was rejected by {rep}[: {reason}]"),
        EventDeclaration(
            "handoff.recycled",
            ["rep": .text, "cycle": .integer, "offer": .integer, "reason": .text, "until": .text],
            says: "went back to nurturing[: {reason}][, left alone until {until}]"),
        EventDeclaration(
            "handoff.converted", ["rep": .text, "cycle": .integer, "offer": .integer], says: "was converted by {rep}"),
        EventDeclaration(
            "handoff.withdrawn", ["rep": .text, "cycle": .integer, "offer": .integer], says: "the handoff was withdrawn"
        ),
        EventDeclaration(
            "handoff.won", ["rep": .text, "cycle": .integer, "opportunity_id": .integer, "reason": .text],
            says: "the deal was won[ by {rep}]"),
        EventDeclaration(
            "handoff.lost", ["rep": .text, "cycle": .integer, "opportunity_id": .integer, "reason": .text],
            says: "the deal was lost[: {reason}]"),
        EventDeclaration(
            Appointments.kind, ["handoff": .integer, "offer": .integer, "clock": .text, "since": .text],
            says: "a clock of the handoff ran out[: {clock}]"),
        EventDeclaration("handoff.absence_due", ["absence": .integer], says: "an absence began"),
        EventDeclaration(Reckoning.kind, ["rep": .text], says: "absences or holidays changed[ of {rep}]"),
        EventDeclaration("handoff.queue_due", says: "the queue was due to be looked at"),
        EventDeclaration("handoff.recycle_due", ["into": .text], says: "the rest after the handoff was over"),
        EventDeclaration("lead.contacted", ["channel": .text], isActivity: true, says: "was contacted[ by {channel}]"),
    ]
    public static let personal = [
        "handoff_handoffs.reason", "handoff_handoffs.outcome_reason", "handoff_transitions.reason",
    ]
    public static let copies: [String: [String]] = [
        "handoff_handoffs.rep": ["handoff_transitions.rep"],
        "handoff_handoffs.route": ["handoff_transitions.route"],
        "handoff_handoffs.state": ["handoff_transitions.state"],
        "handoff_handoffs.reason": ["handoff_transitions.reason"],
        "handoff_handoffs.outcome_reason": ["handoff_transitions.reason"],
        "accounts.owner": ["handoff_unknown_owners.owner"],
    ]
    public static let openTables = ["handoff_handoffs", "handoff_absences", "handoff_holidays"]
    public static let mails = Mails.builtIn
    public static var pages: [String: String] { EmbeddedPages.files }
    public static var cardColumns: KeyValuePairs<String, String> {
        [
            "handoff_state": "SELECT state FROM handoff_handoffs WHERE lead_id = leads.id ORDER BY cycle DESC LIMIT 1",
            "rep": "SELECT rep FROM handoff_handoffs WHERE lead_id = leads.id ORDER BY cycle DESC LIMIT 1",
        ]
    }
    public static let invariants = Promises.all

    let settings: HandoffSettings

    public init(settings: HandoffSettings) {
        self.settings = settings
    }

    public func check(_ check: ConfigCheck) {
        check.stage(settings.at)
        if let condition = settings.condition { check.leadPredicate(condition) }
        for route in settings.route {
            if let condition = route.when { check.leadPredicate(condition) }
        }
        for territory in settings.reps.flatMap(\.value.territories) {
            if let condition = territory.condition { check.leadPredicate(condition) }
        }
        for kind in settings.clocks.contactOn { check.kind(kind) }
        if let webhook = settings.webhook { check.webhook(webhook) }
        if let interest = settings.interest { check.leadColumn(interest) }
        for opener in settings.openers { check.line(opener.value) }
        for recycle in [settings.recycle, settings.recycleLost] {
            if let sequence = recycle?.into { check.name(sequence, of: "sequence") }
        }
        check.ownMail("handoff-offer")
        if settings.clocks.escalateTo != nil { check.ownMail("handoff-escalation") }
        if !(settings.clocks.remindAfter + settings.clocks.remindContactAfter).isEmpty {
            check.ownMail("handoff-reminder")
        }
    }

    @HookBuilder public var hooks: [any Hook] {
        Answer("plan", Plan.self, HandoffPlan.changes)
        Subscribe("offer", to: Routing.kinds(settings), from: .nextEvent) { _, tx in
            try Routing(settings: settings, tx: tx).offerFromBatch()
        }
        Subscribe(
            "let-go", to: ["lead.deleted", "lead.erased", "lead.merged", "handoff.recycle_due"], from: .nextEvent
        ) { _, tx in
            try Departures(tx: tx).handle()
        }
        Subscribe("announce", to: Announcement.kinds, from: .nextEvent) { _, tx in
            try Announcement(settings: settings, tx: tx).make()
        }
        Subscribe("clocks", to: [Appointments.kind], from: .nextEvent) { _, tx in
            try Overrun(settings: settings, tx: tx).runOut()
        }
        Subscribe("contact", to: settings.clocks.contactOn.map(\.value), from: .nextEvent) { _, tx in
            try Contacts(tx: tx).learn()
        }
        Subscribe(
            "outcome",
            to: ["lead.converted", "opportunity.stage_changed", "opportunity.created", "opportunity.restored"],
            from: .nextEvent
        ) { _, tx in
            try Outcomes(settings: settings, tx: tx).learn()
        }
        Subscribe(
            "queue",
            to: [
                "handoff.rejected", "handoff.converted", "handoff.withdrawn", "handoff.expired", "handoff.queue_due",
            ], from: .nextEvent
        ) { _, tx in
            try Routing(settings: settings, tx: tx).drainQueue()
        }
        Subscribe("absences", to: ["handoff.absence_due"], from: .nextEvent) { _, tx in
            try Absences(settings: settings, tx: tx).begin()
        }
        Subscribe("calendars", to: [Reckoning.kind], from: .nextEvent) { _, tx in
            try Reckoning(settings: settings, tx: tx).followCalendars()
        }
        if settings.pausesNurturing {
            Filter("pause-nurturing", MessageDraft.self) { draft, tx in try Pause().ask(draft, tx) }
        }
        if settings.webhook != nil {
            Filter("tell-programs", MessageDraft.self, readsFile: false) { draft, _ in
                Announcement.write(&draft, reasons: settings.rejectReasons)
            }
        }
        Answer("offer-mail", TemplateValues.self) { question, db in
            guard question.template.hasPrefix("handoff-") || question.template.hasPrefix("handoff."),
                let lead = question.leadID
            else { return [:] }
            let briefing = Briefing(
                settings: settings, leadID: lead, handoff: question.body["handoff"].flatMap(Int64.init),
                offer: question.body["offer"].flatMap(Int.init), state: question.body["state"], card: question.card,
                now: question.now)
            return try briefing.values(db, config: question.config)
        }
        Answer("owner", TemplateValues.self) { question, db in try owner(ofLead: question.leadID, db) }
        Answer("card-line", LeadCard.self) { card, db in try Handoff.cardLines(card.leadID, db) }
        Answer("simulated-reps", SimulatedActs.self) { _, _ in SimulatedReps(settings: settings).acts }
        Answer("simulated-handoffs", SimulationReport.self) { question, db in
            [try SimulatedReps.section(question, db)]
        }
        Answer("handoffs", Report.self) { _, db in [ReportSection("Handoffs", try HandoffCommands.overview(db))] }
    }

    /// What mails may say of the rep who has a lead.
    private func owner(ofLead lead: Int64?, _ db: Database) throws -> [String: String] {
        guard let lead else { return [:] }
        let owner = try String.fetchOne(
            db.cachedStatement(sql: "SELECT owner FROM leads WHERE id = ?"), arguments: [lead])
        guard let owner, let rep = settings.rep(owner) else { return [:] }
        return ["owner.name": rep.name ?? owner, "owner.email": rep.email]
    }

    private static func cardLines(_ lead: Int64, _ db: Database) throws -> [CardLine] {
        try Row.fetchAll(
            db, sql: "SELECT * FROM handoff_handoffs WHERE lead_id = ? ORDER BY cycle", arguments: [lead]
        ).map { row in
            let reason = (row["reason"] as String?).map { " (\($0))" } ?? ""
            let outcome = (row["outcome"] as String?).map { outcome in
                ", \(outcome)" + ((row["outcome_reason"] as String?).map { " (\($0))" } ?? "")
            }
            let route: String = row["route"]
            return CardLine(
                "handoff",
                "\(row["state"] as String)\(reason)\(outcome ?? "") to \(row["rep"] as String? ?? "the queue") "
                    + (route == Answers.byHand ? route : "by \(route)"))
        }
    }

    /// Takes up a new config: the reps, the leads of those who are reps no more, clocks for offers that have none,
    /// places for those who wait.
    public func begin(since _: Date?, _ tx: Transaction) throws {
        try Roster.note(settings, tx)
        try Routing(settings: settings, tx: tx).again(
            "h.state IN ('offered', 'escalated', 'accepted') AND h.rep NOT IN (SELECT rep FROM handoff_reps)")
        try Appointments(settings: settings, tx: tx).catchUp()
        try Routing(settings: settings, tx: tx).drainQueue()
    }

    public var commands: [Command] { HandoffCommands(settings: settings).all }
    public var endpoints: [Endpoint] { HandoffPage(settings: settings).endpoints }
    public var apiEndpoints: [Endpoint] { HandoffAPI(settings: settings).endpoints }
}
