import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

/// A small site with a magnet of each kind, for the tests of what visitors meet.
enum MagnetSite {
    static let files = ["assets/plan.pdf": "%PDF-1.4", "pages/plan.md": "## For whom\nBuyers & owners.\n"]

    /// - Parameter more: further settings of the section, such as `visitors: always`.
    static func yaml(_ more: String = "") -> String {
        """
        leads: {fields: {budget: {type: integer, label: "Your budget"}, size: {one_of: [small, large]}, trial_ends_on: date}}
        plugins:
          lead_magnets:
            \(more)
            magnets:
              plan:
                title: The plan
                headline: Know what sells
                summary: Twelve months on one page.
                asset: assets/plan.pdf
                page: pages/plan.md
                form:
                  fields: [email!, first_name!, company, budget, size]
                  more: [phone, city, country]
                  consent: {newsletter: "Yes, write to me."}
              guide:
                title: The guide
                asset: assets/plan.pdf
                opt_in: double
                form: {fields: [email!, first_name], consent: {ads: "Yes, show me ads.", newsletter: "Yes, write to me."}}
              map: {title: The map, asset: assets/plan.pdf, opt_in: double, form: {consent: {calls: "Yes, call me."}}}
              atlas: {title: The atlas, asset: assets/plan.pdf, opt_in: double, deliver: page}
              chart: {title: The chart, asset: assets/plan.pdf, deliver: page, referrals: true}
              course: {title: The course, kind: webinar, url: "https://meet.acme.example/1", webinar: {starts_at: "2026-05-04 16:00"}}
              trial: {title: The trial, kind: trial, url: "https://app.acme.example", trial: {days: 10, field: trial_ends_on}}
              tool: {title: The tool, kind: link, url: "https://tool.acme.example"}

        """
    }

    /// - Parameters:
    ///   - plugins: further plugins, which come after the one that is tested.
    ///   - sections: theirs: `  desk: {}`.
    static func crm(_ more: String = "", plugins: [any Plugin.Type] = [], sections: String = "") throws -> TestKernel {
        try TestKernel(yaml(more) + sections, plugins: [LeadMagnets.self] + plugins, files: files)
    }

    /// The tool alone, with a counter of views that a test empties by hand.
    static func offers(visitors: MagnetSettings.Visitors = .none) -> Offers {
        var magnet = MagnetSettings.Magnet()
        (magnet.title, magnet.kind, magnet.url) = ("The tool", .link, "https://tool.acme.example")
        var settings = MagnetSettings()
        settings.magnets = [Named("tool", magnet)]
        settings.visitors = visitors
        return Offers(settings: settings, views: ViewCounter())
    }
}

/// Refuses what comes from one company, and looks at nothing but the draft.
struct Desk: Plugin {
    static let name = "desk"
    static let summary = "Looks at drafts."

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Filter("look", LeadDraft.self, readsFile: false) { draft, _ in
            if draft.email?.hasSuffix("@rival.example") == true { throw Veto("no competitors, please") }
        }
    }
}
