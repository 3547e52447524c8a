import Foundation
import TrellisKernel

/// What the rep is told: who the lead is, why now, what it read and asked for, what happened, and how to begin.
struct Briefing {
    let settings: HandoffSettings
    let leadID: Int64
    /// The offer it is written for; nil where nobody said.
    let handoff: Int64?
    let offer: Int?
    /// The state that is told; without it that of the handoff by now.
    var state: String?
    /// Of the lead, with what the plugins give as reasons.
    var card: [CardLine] = []
    let now: Date

    /// Of the timeline, the newest first.
    static let eventsMax = 15
    /// What the lead took, the newest first.
    static let interestsMax = 6

    func values(_ db: Database, config: Config) throws -> [String: String] {
        guard let lead = try Row.fetchOne(db, sql: "SELECT * FROM leads WHERE id = ?", arguments: [leadID]) else {
            return [:]
        }
        let name = Briefing.name(of: lead) ?? "Lead \(leadID)"
        let facts = ["title", "company", "industry", "city", "country", "email", "phone", "source", "campaign"]
            .compactMap { column in
                (lead[column] as String?).map { "\(column): \($0)" }
            }
        let taken = try self.taken(config.site.activities.map(\.name), db)
        var values = [
            "lead_name": name, "lead_facts": facts.joined(separator: " · "),
            "lead_history": try history(db), "interests": try interests(lead, taken),
        ]
        values["opener"] = try Opener(settings: settings, lead: lead, taken: taken).text(leadID, db)
        values.merge(try standing(db, config: config)) { $1 }
        return values
    }

    /// Its name, or else its address, or else its company; nil where none of them is known.
    private static func name(of lead: Row) -> String? {
        func told(_ columns: String...) -> String {
            columns.compactMap { lead[$0] as String? }.joined(separator: " ").trimmingCharacters(in: .whitespaces)
        }
        return [told("first_name", "last_name"), told("email"), told("company")].first { !$0.isEmpty }
    }

    // MARK: - What happened

    private func history(_ db: Database) throws -> String {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT coalesce(date(at), at) AS day, kind, body FROM lead_timeline
                WHERE lead_id = :lead AND kind NOT IN (SELECT value FROM json_each(:silent)) ORDER BY at DESC, event_id DESC LIMIT \(Briefing.eventsMax)
                """,
            arguments: ["lead": leadID, "silent": JSONValue.array(Wording.silent.map(JSONValue.string)).text()])
        return rows.map { row in
            "\(row["day"] as String) \(Wording(kind: row["kind"], body: JSONValue(parsing: row["body"])).text)"
        }.joined(separator: " · ")
    }

    /// What a lead takes or asks for, beside the activities of the site.
    private static let kindsTaken = [
        "asset.downloaded", "form.submitted", "webinar.registered", "webinar.attended", "trial.started", "mail.clicked",
        "mail.replied",
    ]

    /// - Parameter activities: of the site, such as a demo that was booked. What a rep did is none of them.
    private func taken(_ activities: [String], _ db: Database) throws -> [Taken] {
        let own = Set(settings.clocks.contactOn.map(\.value))
        let kinds = Briefing.kindsTaken + activities.filter { !own.contains($0) }
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT kind, CAST(coalesce(body ->> 'magnet', body ->> 'webinar', body ->> 'form', body ->> 'mail', kind) AS TEXT) AS name, body
                FROM lead_timeline WHERE lead_id = :lead AND kind IN (SELECT value FROM json_each(:kinds))
                ORDER BY at DESC, event_id DESC LIMIT 50
                """, arguments: ["lead": leadID, "kinds": JSONValue.array(kinds.map(JSONValue.string)).text()])
        var seen: Set<String> = []
        return rows.compactMap { row -> Taken? in
            let (kind, name): (String, String) = (row["kind"], row["name"])
            guard seen.insert(name).inserted else { return nil }
            let sentence = Wording(kind: kind, body: JSONValue(parsing: row["body"])).text
            return Taken(name: name, sentence: sentence, isActivity: activities.contains(kind))
        }
    }

    private func interests(_ lead: Row, _ taken: [Taken]) throws -> String {
        let said = settings.interest.flatMap { column in
            lead.hasColumn(column.value) ? Cell(lead[column.value] as DatabaseValue).text : nil
        }
        let words = (said.map { ["interested in \($0)"] } ?? []) + taken.prefix(Briefing.interestsMax).map(\.sentence)
        return words.joined(separator: " · ")
    }

    // MARK: - Where it stands

    /// Text with one of these is not what it says between the quotation marks of a shell.
    private static let shellMarks = "\"\\$`"

    private func standing(_ db: Database, config: Config) throws -> [String: String] {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT h.*, e.kind, e.body, e.at AS qualified_at, c.kind AS cause_kind, c.body AS cause_body
                FROM handoff_handoffs AS h LEFT JOIN events AS e ON e.id = h.event_id LEFT JOIN events AS c ON c.id = e.cause_id
                WHERE h.lead_id = :lead AND (:handoff IS NULL OR h.id = :handoff) ORDER BY h.cycle DESC LIMIT 1
                """, arguments: ["lead": leadID, "handoff": handoff])
        guard let row else { return [:] }
        let state: String = state ?? row["state"]
        let isTaken = state == "accepted" || state != "offered" && (row["accepted_at"] as String?) != nil
        var values = [
            "handoff": String(row["id"] as Int64), "cycle": String(row["cycle"] as Int), "state": state,
        ]
        values["rep"] = row["rep"] as String?
        values["route"] = row["route"] as String
        values["why_now"] = why(row)
        let due: String? = isTaken ? row["contact_by"] : row["accept_by"]
        if let due {
            values["due_at"] = due
            let place =
                LocalTime(named: settings.rep(row["rep"] ?? "")?.zone ?? config.site.site.timezone) ?? LocalTime(.gmt)
            if let date = Timestamp.date(due), date > now {
                values["by_when"] = ", until \(Briefing.words(date, in: place))"
            }
        }
        if state == "queued" { values["overdue"] = "nobody has taken the lead from the queue" }
        if state == "escalated" {
            values["overdue"] = isTaken ? "nobody has talked to the lead" : "the offer was not answered"
        }
        values["reject_reason"] = settings.rejectReasons.first { !$0.contains(where: Briefing.shellMarks.contains) }
        let before = [try earlier(row["cycle"], db), try lapsed(row["id"], db)].compactMap { $0 }
        if !before.isEmpty { values["earlier"] = before.joined(separator: " ") }
        values.merge(links(row, state, isTaken: isTaken, config)) { $1 }
        return values
    }

    /// None where a rep can do nothing, and none on a site without a secret: the commands are left.
    private func links(_ row: Row, _ state: String, isTaken: Bool, _ config: Config) -> [String: String] {
        let subject = HandoffPage.subject(handoff: row["id"], offer: offer ?? row["offer"])
        guard ["offered", "escalated", "accepted"].contains(state),
            let link = try? config.link(HandoffPage.purpose, subject)
        else { return [:] }
        // Behind the first is the page of the lead once it is accepted.
        let links = ["accept_url": link + "/accept", "reject_url": link + "/reject"]
        return isTaken ? links.merging(["contact_url": link + "/contact"]) { $1 } : links
    }

    /// `2026-03-05 16:00 (Europe/Berlin)`.
    private static func words(_ date: Date, in place: LocalTime) -> String {
        let minute = place.minute(of: date)
        let parts = [minute / 60, minute % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(place.day(of: date)) \(parts.joined(separator: ":")) (\(place.zone.identifier))"
    }

    /// `It went from lead to mql on 2026-03-05, after this: demo booked. 65 points: demo +50, head of sales +15.`
    private func why(_ row: Row) -> String? {
        let sentences = (step(row).map { [$0] } ?? []) + card.compactMap(\.reason).map { "\($0)." }
        return sentences.isEmpty ? nil : sentences.joined(separator: " ")
    }

    private func step(_ row: Row) -> String? {
        guard let kind: String = row["kind"], let at: String = row["qualified_at"] else { return nil }
        let what = Wording(kind: kind, body: (row["body"] as String?).flatMap { JSONValue(parsing: $0) }).text
        let cause = (row["cause_kind"] as String?).map {
            ", after this: \(Wording(kind: $0, body: (row["cause_body"] as String?).flatMap { JSONValue(parsing: $0) }).text)"
        }
        return "It \(what) on \(at.prefix(10))\(cause ?? "")."
    }

    private func earlier(_ cycle: Int, _ db: Database) throws -> String? {
        guard cycle > 1 else { return nil }
        let steps = try Row.fetchAll(
            db,
            sql: """
                SELECT coalesce(date(at), at) AS day, state, rep, reason FROM handoff_transitions
                WHERE lead_id = ? AND cycle < ? AND state IN ('rejected', 'won', 'lost') ORDER BY id DESC LIMIT 3
                """, arguments: [leadID, cycle])
        let told = steps.map { step in
            let reason = (step["reason"] as String?).map { ": \($0)" } ?? ""
            let rep = (step["rep"] as String?).map { " by \($0)" } ?? ""
            return "\(step["state"] as String) on \(step["day"] as String)\(rep)\(reason)"
        }
        return "It was here before: this is try \(cycle)."
            + (told.isEmpty ? "" : " " + told.joined(separator: "; ") + ".")
    }

    /// Who had it in this cycle and did not take it, the last first.
    private func lapsed(_ handoff: Int64, _ db: Database) throws -> String? {
        let reps = try String.fetchAll(
            db,
            sql: """
                SELECT rep FROM handoff_transitions WHERE handoff_id = ? AND state = 'expired' AND rep IS NOT NULL
                GROUP BY rep ORDER BY max(id) DESC LIMIT 3
                """, arguments: [handoff])
        return reps.isEmpty ? nil : "The time of \(reps.joined(separator: ", ")) ran out before."
    }
}
