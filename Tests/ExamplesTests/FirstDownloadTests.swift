import ExamplePlugin
import Handoff
import LeadMagnets
import Testing
import TrellisKernel
import TrellisTesting

struct FirstDownloadTests {
    private func crm(_ settings: String = "{}") throws -> TestKernel {
        try TestKernel(
            """
            plugins:
              lead_magnets:
                magnets:
                  plan: {title: The plan, asset: plan.md}
                  map: {title: The map, asset: plan.md}
              first_download: \(settings)
              handoff: {at: mql, reps: {ann: {email: ann@acme.example}}, route: [{to: ann}]}
            """, plugins: [LeadMagnets.self, FirstDownload.self, Handoff.self], files: ["plan.md": "a plan"])
    }

    @Test func `the first download of a lead is kept and shown on its card`() throws {
        let crm = try crm()
        let lead = try crm.capture(["email": "nora@hall.example"], form: "plan")
        try crm.pump()
        try crm.capture(["email": "nora@hall.example"], form: "map")
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, magnet FROM first_download_leads") == ["\(lead)|plan"])
        let card = try crm.kernel.ask(LeadCard(leadID: lead)).flatMap { $0 }
        #expect(card.contains(CardLine("first download", "plan")))
    }

    @Test func `a lead without enough downloads stays with marketing`() throws {
        let crm = try crm("{needed: 2}")
        try crm.capture(["email": "once@hall.example"], form: "plan")
        try crm.capture(["email": "twice@hall.example"], form: "plan")
        try crm.capture(["email": "twice@hall.example"], form: "map")
        try crm.pump()
        try crm.foreign("UPDATE leads SET stage = 'mql'")
        try crm.pump()
        #expect(
            try crm.rows("SELECT email, rep FROM handoff_handoffs JOIN leads ON leads.id = lead_id") == [
                "twice@hall.example|ann"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `its table can be made anew from the log`() throws {
        let crm = try crm()
        try crm.capture(["email": "nora@hall.example"], form: "plan")
        try crm.pump()
        try crm.foreign("UPDATE first_download_leads SET magnet = 'wrong'")
        _ = try Rebuild(crm.kernel).run("first_download")
        #expect(try crm.rows("SELECT magnet FROM first_download_leads") == ["plan"])
    }

    @Test func `a setting out of its range is named with its place`() {
        #expect {
            try crm("{needed: 101}")
        } throws: { error in
            "\(error)".contains(
                "config.yaml:8:28: plugins.first_download.needed: expected a whole number from 0 to 100, got '101'")
        }
    }
}
