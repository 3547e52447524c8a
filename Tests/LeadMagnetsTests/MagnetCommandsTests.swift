import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct MagnetCommandsTests {
    private let crm: TestKernel

    init() throws {
        crm = try MagnetSite.crm()
    }

    /// The template and the values of a command that shows a page.
    private func page(_ path: String, _ arguments: String...) throws -> (name: String, values: PageValues) {
        let command = try #require(
            crm.kernel.plugins.flatMap { $0.commands }.first { $0.path.joined(separator: " ") == path })
        let result = try command(CommandCall(kernel: crm.kernel, arguments: arguments))
        guard case .page(let name, let values) = result else { throw KernelError.usage("no page") }
        return (name, values)
    }

    private func sentence(_ path: String, _ arguments: String...) throws -> String {
        try #require(throws: KernelError.self) {
            switch arguments.count {
            case 1: try crm.run(path, arguments[0])
            default: try crm.run(path, arguments[0], arguments[1])
            }
        }.description
    }

    private static let unknown =
        "There is no magnet 'pln'. Did you mean 'plan'? There are: plan, guide, map, atlas, chart, course, trial, tool."

    // MARK: - What there is

    @Test func `a magnet is shown with its views and who asked for it`() throws {
        for name in ["ann", "bob", "ann"] { try crm.capture(["email": "\(name)@a.example"], form: "tool") }
        try crm.capture(["email": "ann@a.example"], form: "chart")
        try crm.pump()
        try crm.foreign(
            """
            INSERT INTO magnets_views (day, page, magnet, channel, views) VALUES
                ('2026-03-01', '/offers/tool', 'tool', 'direct', 8), ('2026-03-02', '/offers/tool', 'tool', 'email', 4),
                ('2026-03-02', '/blog', '', 'direct', 99)
            """)
        #expect(
            try crm.run("magnets") == ["tool|12|3|2|25.0 %", "chart||1|1|"]
                + ["atlas", "course", "guide", "map", "plan", "trial"].map { "\($0)||0|0|" })
    }

    @Test func `what is held is listed, or that nothing is`() async throws {
        #expect(try crm.run("magnets quarantine") == ["No form is held."])
        _ = try await Browser(crm).post("/forms/plan", [("email", "bot@b.example")])
        #expect(
            try crm.run("magnets quarantine") == [
                "1|2026-03-02 09:00:00.000|plan|bot@b.example|no form token",
                "'trellis magnets release ID' takes one in, 'trellis magnets discard ID' lets go of one; forms go after 30 days, ad leads stay.",
            ])
    }

    @Test func `a form is released by its number`() throws {
        #expect(try sentence("magnets release", "one") == "the id is a whole number.")
        #expect(
            try sentence("magnets release", "1")
                == "There is no held form 1. 'trellis magnets quarantine' lists them.")
    }

    // MARK: - For other pages

    @Test func `a snippet is a form that posts to this site, for years`() async throws {
        let (name, values) = try page("magnets embed", "plan")
        #expect(name == "embed")
        #expect(values.text("action") == "https://crm.acme.example/forms/plan")
        #expect(values.list("hidden").map { $0.text("name") } == [FormToken.field])
        #expect(values.list("fields").map { $0.text("name") } == ["email", "first_name", "company", "budget", "size"])
        #expect(values.list("consents").map { $0.text("text") } == ["Yes, write to me."])
        // Two of them may stand in one page.
        let ids = (values.list("fields") + values.list("consents")).map { $0.text("id") }
        #expect(ids.allSatisfy { $0.hasPrefix("plan-") }, "\(ids)")
        crm.clock.advance(by: "400 days")
        let reply = try await Browser(crm).post(
            values.text("action"),
            [
                (FormToken.field, values.list("hidden")[0].text("value")), ("email", "ann@a.example"),
                ("first_name", "Ann"),
            ])
        #expect(reply.status == 303)
        #expect(try crm.events() == ["lead.created", "form.submitted"])
        #expect(try sentence("magnets embed", "pln") == MagnetCommandsTests.unknown)
    }

    @Test func `an article offers a magnet within its text or at its top`() throws {
        let (name, values) = try page("magnets upgrade", "plan")
        #expect(name == "upgrade" && values["is_top"] == false)
        #expect(
            values.text("url")
                == "https://crm.acme.example/offers/plan?utm_source=article&utm_medium=referral&utm_content=inline")
        #expect(values.text("headline") == "Know what sells" && values.text("summary") == "Twelve months on one page.")
        #expect(values.text("button") == "Send it to me")
        let top = try page("magnets upgrade", "tool", "top").values
        #expect(top["is_top"] == true && top.text("url").hasSuffix("utm_content=top"))
        #expect(top.text("headline") == "The tool" && top["summary"] == nil)
        #expect(try sentence("magnets upgrade", "plan", "bottom") == "The place is 'top' or 'inline'.")
        #expect(try sentence("magnets upgrade", "pln") == MagnetCommandsTests.unknown)
    }

    // MARK: - Webinars

    @Test func `who registered and did not come has missed it, once`() throws {
        for name in ["ann", "bob", "cem"] { try crm.capture(["email": "\(name)@a.example"], form: "course") }
        try crm.capture(["email": "cem@a.example"], form: "course")
        try crm.capture(["email": "dan@a.example"], form: "tool")
        try crm.pump()
        crm.clock.set("2026-05-04 17:00:00")
        try crm.record("webinar.attended", lead: 2, ["webinar": "course", "minutes": "55"])
        #expect(try crm.run("magnets close-webinar", "course") == ["2 leads missed it."])
        #expect(
            try crm.rows("SELECT lead_id, body, cause_kind FROM lead_trace WHERE kind = 'webinar.missed'") == [
                #"1|{"webinar":"course"}|webinar.registered"#, #"3|{"webinar":"course"}|webinar.registered"#,
            ])
        #expect(try crm.run("magnets close-webinar", "course") == ["0 leads missed it."])
        #expect(try crm.troubles() == [])
    }

    @Test func `nobody has missed what has not begun`() throws {
        try crm.capture(["email": "ann@a.example"], form: "course")
        try crm.pump()
        #expect(
            try sentence("magnets close-webinar", "course")
                == "The webinar 'course' begins on Monday 4 May 2026, 16:00 (UTC). Close it when it is over: nobody can have missed it yet."
        )
        #expect(try crm.rows("SELECT * FROM events WHERE kind = 'webinar.missed'") == [])
    }

    @Test func `only a webinar can be missed`() throws {
        #expect(try sentence("magnets close-webinar", "plan") == "The magnet 'plan' is no webinar.")
        #expect(try sentence("magnets close-webinar", "pln") == MagnetCommandsTests.unknown)
    }
}
