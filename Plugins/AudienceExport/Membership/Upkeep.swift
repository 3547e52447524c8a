import Foundation
import TrellisKernel

/// How the members of one audience are kept, as noted when it was taken up.
struct Upkeep: Sendable {
    /// Why every lead is looked at; nil where changed leads alone are.
    var obstacle: String?
    /// Tables that its SELECT reads.
    var tables: Set<String> = []
    var asksClock = false
    /// Whether the moments are found at which its answers change by time alone.
    var hasMoments = false
    /// Whether its SELECT is run for one lead after another, because the planner does not take a list of them.
    var isByLead = false

    /// The list of leads that are looked at again, with the last event of each that is the cause.
    static let changedColumns = "lead_id INTEGER PRIMARY KEY, cause_id INTEGER"

    /// The own SELECT of an audience for the leads of the list.
    static func listed(_ sql: String) -> String {
        """
        SELECT c.lead_id FROM temp.audiences_changed AS c CROSS JOIN (\(sql)
        ) AS q WHERE q.lead_id = c.lead_id
        """
    }

    /// The own SELECT of an audience for one lead.
    static func single(_ sql: String) -> String { "SELECT 1 FROM (\(sql)\n) AS q WHERE q.lead_id = :lead LIMIT 1" }

    /// Looks how a SELECT would run.
    ///
    /// - Parameter hasList: whether the list of changed leads is there to plan with.
    init(_ text: ClockText?, hasList: Bool, _ db: Database) throws {
        guard let text else { return }
        let single = try LeadProgram(Upkeep.single(text.sql), parameter: text.usesNow ? 2 : 1, db)
        tables = single.tables
        asksClock = text.usesNow || single.asksClock
        obstacle = try single.obstacle ?? Watches.obstacle(tables, db)
        // A clock that a view asks by itself cannot be asked as of another moment.
        hasMoments = text.usesNow && !single.asksClock && obstacle == nil
        guard obstacle == nil, hasList else { return }
        isByLead = try LeadProgram(Upkeep.listed(text.sql), db).obstacle != nil
    }

    init(_ row: Row) {
        obstacle = row["reason"]
        tables = Set((try? JSONDecoder().decode([String].self, from: Data((row["tables"] as String).utf8))) ?? [])
        asksClock = row["asks_clock"]
        isByLead = row["by_lead"]
        hasMoments = row["has_moments"]
    }

    /// What `trellis audiences` says of it.
    func description(every: Span) -> String {
        let clock = asksClock ? "; for the clock all leads every \(every)" : ""
        let moments = hasMoments ? ", each lead at its moment in between" : ""
        return (obstacle.map { "all leads, once a minute at most: \($0)" } ?? "changed leads") + clock + moments
    }

    /// What `trellis audiences show` says of the clock; nil where nothing asks it.
    func clockSentence(every: Span) -> String? {
        guard asksClock else { return nil }
        let moments = hasMoments ? ", and each lead at its moment in between" : ""
        return "Its SELECT asks the clock: all leads are looked at every \(every)\(moments)."
    }

    /// The same for who wrote the SELECT, with what would help.
    static func advice(_ obstacle: String) -> String {
        """
        every lead is looked at when one changes, once a minute at most, because \(obstacle). \
        A SELECT in which every table is joined by the lead, such as \
        EXISTS (SELECT 1 FROM … WHERE lead_id = leads.id), is looked at for changed leads alone.
        """
    }
}
