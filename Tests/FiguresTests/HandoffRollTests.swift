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
}
