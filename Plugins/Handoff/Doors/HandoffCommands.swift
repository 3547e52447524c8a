import Foundation
import TrellisKernel

/// `trellis handoff …`.
struct HandoffCommands {
    let settings: HandoffSettings

    var all: [Command] {
        [
            Command("handoff", "How many leads each rep has.") { call in
                .table(try call.kernel.read { try HandoffCommands.overview($0) })
            },
            Command("handoff list", "Open handoffs, oldest first.", options: ["rep": "only this rep's"]) { call in
                let rep = call.options["rep"]
                let open = try call.kernel.read { try HandoffCommands.open(rep, $0) }
                // A rep who is none any more may still have leads.
                if open.rows.isEmpty, let rep { try known(rep) }
                return .table(open)
            },
            Command(
                "handoff accept", "The rep takes the lead: it becomes a sales accepted lead.", arguments: ["HANDOFF"]
            ) { call in try answer(call) { try $0.accept($1) } },
            Command(
                "handoff reject", "The rep gives the lead back to marketing, with the reason.",
                arguments: ["HANDOFF", "REASON"]
            ) { call in try answer(call) { try $0.reject($1, reason: call.arguments[1]) } },
            Command(
                "handoff reassign", "Give a lead to a rep: one of the queue, or one that another rep has.",
                arguments: ["HANDOFF", "REP"]
            ) { call in try answer(call) { try $0.reassign($1, to: call.arguments[1]) } },
            Command("handoff assign", "The same as reassign.", arguments: ["HANDOFF", "REP"]) { call in
                try answer(call) { try $0.reassign($1, to: call.arguments[1]) }
            },
            Command(
                "handoff contact", "Note that somebody talked to the lead, which stops the second clock.",
                arguments: ["HANDOFF"], options: ["channel": "how: call, mail, linkedin"]
            ) { call in try answer(call) { try $0.contact($1, channel: call.options["channel"]) } },
            Command(
                "handoff convert", "The lead becomes a contact with an opportunity at its account.",
                arguments: ["HANDOFF"],
                options: [
                    "amount": "of the opportunity", "currency": "of the amount: EUR", "name": "of the opportunity",
                ]
            ) { call in
                let amount = try amount(call)
                return try answer(call) {
                    try $0.convert(
                        $1, amount: amount, currency: call.options["currency"], name: call.options["name"])
                }
            },
            Command(
                "handoff won", "The deal was won: the lead is a customer.", arguments: ["HANDOFF"],
                options: ["amount": "of the opportunity", "currency": "of the amount: EUR", "reason": "why"]
            ) { call in
                let amount = try amount(call)
                return try answer(call) {
                    try $0.close(
                        $1, as: "won", reason: call.options["reason"], amount: amount,
                        currency: call.options["currency"])
                }
            },
            Command(
                "handoff lost", "The deal was lost: the lead goes back to marketing.", arguments: ["HANDOFF", "REASON"]
            ) { call in try answer(call) { try $0.close($1, as: "lost", reason: call.arguments[1]) } },
        ] + absences
    }

    private var absences: [Command] {
        [
            Command(
                "handoff absent", "Note that a rep is away; without a name, who is or will be away when.",
                arguments: ["REP?"],
                options: [
                    "from": "a day or a time; without it, now",
                    "until": "the last day, or a time; without it, until further notice",
                    "hand-over": "yes: the leads in hand go to others when it begins",
                ]
            ) { call in
                guard let rep = call.arguments.first else {
                    let (place, now) = (call.kernel.config.site.site.place, Timestamp.text(call.kernel.clock.now()))
                    return .table(try call.kernel.read { try HandoffCommands.absences(place, since: now, $0) })
                }
                let handsOver = try flag(call, "hand-over")
                return try write(call) { tx in
                    try Absences(settings: settings, tx: tx).note(
                        rep, from: call.options["from"], until: call.options["until"], handsOver: handsOver
                    ).sentence
                }
            },
            Command(
                "handoff present", "Note that a rep is back before the time; absences to come are cancelled.",
                arguments: ["REP"]
            ) { call in try write(call) { tx in try Absences(settings: settings, tx: tx).end(call.arguments[0]) } },
        ]
    }

    private func known(_ rep: String) throws {
        let names = settings.reps.map(\.name)
        guard !names.contains(rep) else { return }
        throw KernelError.usage(
            "There is no rep '\(rep)'.\(NearMiss.hint(rep, among: names)) There are: \(names.joined(separator: ", ")).")
    }

    // MARK: - Answers

    private func answer(
        _ call: CommandCall, _ body: (Answers, Answers.Reference) throws -> Answers.Receipt
    ) throws -> CommandResult {
        try write(call) { tx in
            try body(Answers(settings: settings, tx: tx), Answers.Reference(call.arguments[0])).sentence
        }
    }

    private func write(_ call: CommandCall, _ body: (Transaction) throws -> String) throws -> CommandResult {
        do {
            return .text(try call.kernel.write(origin: "cli") { try body($0) })
        } catch let refusal as Answers.Refusal {
            throw refusal.kind == .value
                ? KernelError.usage(refusal.description) : KernelError.data(refusal.description)
        }
    }

    private func amount(_ call: CommandCall) throws -> Double? {
        do {
            return try call.options["amount"].map(Answers.amount)
        } catch let refusal as Answers.Refusal {
            throw KernelError.usage(refusal.description)
        }
    }

    private func flag(_ call: CommandCall, _ name: String) throws -> Bool {
        guard let text = call.options[name] else { return false }
        guard let flag = ["yes": true, "true": true, "no": false, "false": false][text.lowercased()] else {
            throw KernelError.usage("--\(name) must be yes or no.")
        }
        return flag
    }

    // MARK: - Tables

    static func overview(_ db: Database) throws -> Table {
        Table(
            columns: ["rep", "offered", "accepted", "converted", "rejected", "queued"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT coalesce(rep, '(queue)'), count(*) FILTER (WHERE state IN ('offered', 'escalated') AND accepted_at IS NULL),
                           count(*) FILTER (WHERE state IN ('accepted', 'escalated') AND accepted_at IS NOT NULL), count(*) FILTER (WHERE opportunity_id IS NOT NULL),
                           count(*) FILTER (WHERE state = 'rejected' OR state = 'recycled' AND outcome IS NULL), count(*) FILTER (WHERE state = 'queued')
                    FROM handoff_handoffs GROUP BY rep ORDER BY rep IS NULL, rep
                    """))
    }

    /// Times as the clock of the site shows them.
    private static func absences(_ place: LocalTime, since now: String, _ db: Database) throws -> Table {
        func shown(_ stamp: String?) -> Cell { stamp.flatMap(Timestamp.date).map { .text(place.text($0)) } ?? .null }
        return Table(
            columns: ["absence", "rep", "from", "until"],
            rows: try Absences.list(nil, since: now, db).map { row in
                [.integer(row["id"]), .text(row["rep"]), shown(row["starts_at"]), shown(row["ends_at"])]
            })
    }

    private static func open(_ rep: String?, _ db: Database) throws -> Table {
        Table(
            columns: [
                "handoff", "lead", "company", "state", "rep", "route", "offered_at", "accept_by", "contact_by", "cycle",
            ],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT h.id, coalesce(l.email, l.external_id, l.phone), l.company, h.state, h.rep, h.route, h.offered_at, h.accept_by,
                           h.contact_by, h.cycle
                    FROM handoff_handoffs AS h LEFT JOIN leads AS l ON l.id = h.lead_id
                    WHERE h.state IN ('queued', 'offered', 'escalated', 'accepted') AND (:rep IS NULL OR h.rep = :rep) ORDER BY h.id
                    """, arguments: ["rep": rep]))
    }
}
