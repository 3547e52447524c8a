import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

@Suite struct HandoffRollTests {
    private func note(
        _ kind: String, cycle: Int? = nil, rep: String? = nil, offer: Int? = nil, _ crm: TestKernel
    ) throws {
        try crm.kernel.write(origin: "plugin:handoff") {
            try $0.emit(
                kind,
                forEach:
                    "SELECT 1 AS lead_id, NULL AS cause_id, json_object('cycle', :cycle, 'rep', :rep, 'offer', :offer) AS body",
                arguments: ["cycle": cycle, "rep": rep, "offer": offer])
        }
        crm.clock.advance(by: "1 hour")
    }

    @Test(arguments: [true, false])
    func `each handoff has its times, whatever the batches`(pumpsBetween: Bool) throws {
        let crm = try TestKernel("goals: {speed_to_lead: 2 hours}", plugins: [Figures.self])
        try crm.capture(["email": "ann@a.example"])
        let story: [(String, Int?, String?)] = [
            ("handoff.queued", 1, nil), ("handoff.offered", 1, "mia"), ("lead.contacted", nil, nil),
            ("handoff.accepted", 1, "mia"),
            ("lead.contacted", nil, nil), ("handoff.offered", 2, "tom"), ("handoff.rejected", 2, "tom"),
        ]
        for (kind, cycle, rep) in story {
            try note(kind, cycle: cycle, rep: rep, crm)
            if pumpsBetween { try crm.pump() }
        }
        try crm.pump()
        #expect(
            try crm.rows(
                "SELECT cycle, rep, substr(offered_at, 12, 2), substr(accepted_at, 12, 2), substr(contacted_at, 12, 2), substr(rejected_at, 12, 2) FROM figures_handoffs"
            ) == ["1|mia|09|12|11|", "2|tom|14|||15"])
        #expect(
            try crm.rows(
                "SELECT rep, handoffs, answered, median_hours, within_goal_percent FROM kpi_speed_to_lead ORDER BY rep")
                == [
                    "|2|1|2.0|50.0", "mia|1|1|1.0|100.0", "tom|1|0||0.0",
                ])
    }

    @Test(arguments: [true, false])
    func `nobody answers for another, whatever the batches`(pumpsBetween: Bool) throws {
        let crm = try TestKernel("goals: {speed_to_lead: 2 hours}", plugins: [Figures.self])
        try crm.capture(["email": "ann@a.example"])
        let story: [(String, Int?, String?, Int?)] = [
            ("handoff.offered", 1, "mia", nil), ("handoff.accepted", 1, "mia", nil), ("lead.contacted", nil, nil, nil),
            ("handoff.offered", 1, "tom", 2), ("handoff.accepted", 1, "tom", 2), ("handoff.offered", 1, "eva", 3),
        ]
        for (kind, cycle, rep, offer) in story {
            try note(kind, cycle: cycle, rep: rep, offer: offer, crm)
            if pumpsBetween { try crm.pump() }
        }
        try crm.pump()
        #expect(
            try crm.rows(
                "SELECT rep, handoffs, answered, median_hours, within_goal_percent FROM kpi_speed_to_lead ORDER BY rep")
                == ["|1|1|2.0|100.0", "eva|1|0||0.0", "mia|1|1|2.0|100.0", "tom|1|1|1.0|100.0"])
        let free = try crm.reopened("", plugins: [Figures.self])
        #expect(try free.rows("SELECT DISTINCT goal_hours, within_goal_percent FROM kpi_speed_to_lead") == ["|"])
    }

    @Test func `the median lies between two bands, and every answer counts once`() throws {
        let crm = try TestKernel(
            "goals: {speed_to_lead: 2 hours}", plugins: [Figures.self], at: "2026-03-02 08:00:00")
        for number in 1...5 { try crm.capture(["email": "l\(number)@a.example"]) }
        try log("handoff.offered", 1...5, "'2026-03-02 08:00:00.000'", crm)
        // After 10 minutes, 1 hour, 5 hours and 30 hours.
        try log("handoff.accepted", 1...1, "'2026-03-02 08:10:00.000'", crm)
        try log("handoff.accepted", 2...2, "'2026-03-02 09:00:00.000'", crm)
        try log("handoff.accepted", 3...3, "'2026-03-02 13:00:00.000'", crm)
        try log("handoff.accepted", 4...4, "'2026-03-03 14:00:00.000'", crm)
        let speed =
            "SELECT rep, handoffs, answered, median_hours, within_goal_percent FROM kpi_speed_to_lead ORDER BY rep"
        #expect(try crm.rows(speed) == ["|5|4|3.0|40.0", "mia|5|4|3.0|40.0"])
        // A word counts before the acceptance, and the last of five is answered after exactly 2 hours, then given back.
        try log("lead.contacted", 1...1, "'2026-03-02 08:30:00.000'", crm)
        try log("handoff.accepted", 5...5, "'2026-03-02 10:00:00.000'", crm)
        try log("handoff.rejected", 5...5, "'2026-03-02 11:00:00.000'", crm)
        #expect(try crm.rows(speed) == ["|5|5|2.0|60.0", "mia|5|5|2.0|60.0"])
        #expect(
            try crm.rows(
                "SELECT rep, sum(handoffs), sum(accepted), sum(rejected) FROM figures_answer_bands GROUP BY rep ORDER BY rep"
            )
                == ["|5|5|1", "mia|5|5|0"])
        #expect(try crm.rows("SELECT round(hours, 4) FROM figures_answers WHERE lead = 1") == ["0.5", "0.5"])
        #expect(
            try crm.rows(
                "SELECT goal, actual FROM ladder_goals WHERE target IS NULL AND month = '2026-03' ORDER BY goal")
                == ["handoffs_accepted|100.0", "handoffs_rejected|20.0"])
        #expect(try crm.troubles() == [])
    }

    private func log(_ kind: String, _ leads: ClosedRange<Int>, _ at: String, _ crm: TestKernel) throws {
        let body = kind == "lead.contacted" ? "{}" : #"{"rep":"mia","cycle":1,"offer":1}"#
        let rows = leads.map { "('\(kind)', \($0), 'plugin:handoff', \(at), '\(body)')" }.joined(separator: ", ")
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "INSERT INTO events (kind, lead_id, origin, at, body) VALUES \(rows)")
        }
        try crm.pump()
    }

    @Test func `bands begin where the one before ends`() throws {
        let crm = try TestKernel(plugins: [Figures.self])
        #expect(
            try crm.rows(
                "SELECT count(*) FROM figures_bands AS b WHERE ends <= begins OR NOT EXISTS (SELECT 1 FROM figures_bands WHERE begins = b.ends OR b.ends > 1e299)"
            ) == ["0"])
    }
}
