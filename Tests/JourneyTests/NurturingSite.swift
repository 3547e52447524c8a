import AudienceExport
import DripSequencer
import Foundation
import Handoff
import LeadMagnets
import Scoring
import TrellisKernel
import TrellisTesting

/// A small CRM with all five plugins, and the days of one lead in it.
enum NurturingSite {
    static let plugins: [any Plugin.Type] = [
        LeadMagnets.self, DripSequencer.self, AudienceExport.self, Scoring.self, Handoff.self,
    ]
    static let names = plugins.map { $0.name }

    static let files = [
        "assets/plan.pdf": "%PDF-1.4",
        "mails/welcome.md": mail("Welcome, {{first_name}}", "Good to have you."),
        "mails/proof.md": mail("How others did it", "A story."),
        "mails/last.md": mail("Shall we talk?", "A call."),
    ]

    private static func mail(_ subject: String, _ text: String) -> String {
        "---\nsubject: \(subject)\npurpose: marketing\n---\nHello {{first_name}},\n\n\(text)\n"
    }

    /// - Parameter off: the plugin whose section says `enabled: false`.
    static func yaml(off: String? = nil) -> String {
        func isOn(_ name: String) -> String { "enabled: \(off == name ? "false" : "true")" }
        return """
            activities: {demo.booked: {slot: text}}
            plugins:
              lead_magnets:
                \(isOn("lead_magnets"))
                magnets:
                  sales-plan:
                    title: The sales plan
                    asset: assets/plan.pdf
                    form: {fields: [email!, first_name, title], consent: {newsletter: "Yes, by mail.", ads: "Yes, show me ads."}}
              drip:
                \(isOn("drip"))
                sequences:
                  welcome:
                    enter: {on: form.submitted, where: "form = 'sales-plan'"}
                    exit: [handoff.offered]
                    steps: [{mail: welcome}, {wait: 3 days}, {mail: proof}, {wait: 3 days}, {mail: last}]
              audiences:
                \(isOn("audiences"))
                nurtured: {sql: "SELECT id AS lead_id FROM leads WHERE stage = 'lead'", platforms: [google]}
              scoring:
                \(isOn("scoring"))
                fit: {head: {when: "title LIKE 'Head%'", points: 20}}
                engagement:
                  asked: {on: form.submitted, points: 15}
                  demo: {on: demo.booked, where: "slot IS NOT NULL", points: 30}
                thresholds: {mql: {score: 60, fit: 10}}
              handoff:
                \(isOn("handoff"))
                reps: {rita: {email: rita@acme.example}, sam: {email: sam@acme.example}}
            """
    }

    static func crm(off: String? = nil) throws -> TestKernel {
        try TestKernel(yaml(off: off), plugins: plugins, files: files)
    }

    @discardableResult
    static func fillInForm(_ crm: TestKernel, _ email: String, _ firstName: String, title: String) throws -> Int64 {
        try crm.capture(
            ["email": email, "first_name": firstName, "title": title], form: "sales-plan",
            consents: ["newsletter", "ads"])
    }
}
