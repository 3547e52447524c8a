import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct OfferTests {
    private func offer(
        _ kind: MagnetSettings.Kind = .asset, config: Config? = nil,
        _ change: (inout MagnetSettings.Magnet) -> Void = { _ in }
    ) throws -> Offer {
        var magnet = MagnetSettings.Magnet()
        (magnet.title, magnet.kind) = ("The plan", kind)
        change(&magnet)
        return Offer(magnet: Named("plan", magnet), config: try config ?? Config.parse("", plugins: []))
    }

    private func variant(_ name: String, weight: Int = 1, headline: String? = nil) -> Named<MagnetSettings.Variant> {
        var variant = MagnetSettings.Variant()
        (variant.weight, variant.headline) = (weight, headline)
        return Named(name, variant)
    }

    // MARK: - Variants

    @Test func `a variant is seen by whoever asks for it by name`() throws {
        let offer = try offer { $0.variants = [variant("chief", weight: 0), variant("buyer", weight: 0)] }
        #expect(offer.variant(named: "buyer")?.name == "buyer")
        #expect(offer.variant(named: "chief")?.name == "chief")
    }

    @Test func `a variant without weight is seen by nobody else`() throws {
        let offer = try offer { $0.variants = [variant("chief", weight: 0)] }
        for name in [nil, "", "boss"] {
            #expect((1...500).allSatisfy { _ in offer.variant(named: name) == nil })
        }
    }

    @Test func `an offer without variants has none`() throws {
        #expect(try offer().variant(named: "chief") == nil)
    }

    @Test func `variants are seen by their weights, and the plain page weighs one`() throws {
        let offer = try offer {
            $0.variants = [variant("a", weight: 3), variant("never", weight: 0), variant("b", weight: 6)]
        }
        var seen: [String: Int] = [:]
        for _ in 1...10_000 { seen[offer.variant(named: nil)?.name ?? "plain", default: 0] += 1 }
        // Ten times the standard deviation of 10,000 draws.
        #expect(abs(seen["a", default: 0] - 3000) < 460)
        #expect(abs(seen["b", default: 0] - 6000) < 490)
        #expect(abs(seen["plain", default: 0] - 1000) < 300)
        #expect(seen["never"] == nil)
    }

    @Test func `the words of a variant stand in the place of the plain ones`() throws {
        let crm = try TestKernel(files: ["plain.md": "Plain.", "chief.md": "For chiefs."])
        var offer = try offer(config: crm.kernel.config) {
            ($0.headline, $0.button, $0.page) = ("Know what sells", "Send it", Located("plain.md"))
        }
        #expect(offer.page(form: [:], at: .distantPast).text("headline") == "Know what sells")
        #expect(
            offer.page(form: [:], at: .distantPast).text("text_html") == "<p>Plain.</p>" && offer.button == "Send it")
        var chief = variant("chief", headline: "For chiefs")
        (chief.value.button, chief.value.page) = ("Me first", Located("chief.md"))
        offer.variant = chief
        #expect(offer.page(form: [:], at: .distantPast).text("headline") == "For chiefs" && offer.button == "Me first")
        #expect(offer.page(form: [:], at: .distantPast).text("text_html") == "<p>For chiefs.</p>")
        offer.variant = variant("bare")
        #expect(
            offer.page(form: [:], at: .distantPast).text("headline") == "Know what sells" && offer.button == "Send it")
        #expect(offer.page(form: [:], at: .distantPast).text("text_html") == "<p>Plain.</p>")
    }

    // MARK: - Labels

    @Test(arguments: [
        (MagnetSettings.Kind.asset, "Download", "Send it to me"), (.webinar, "Webinar", "Save my seat"),
        (.trial, "Free trial", "Start the trial"), (.link, "Link", "Show me"),
    ])
    func `each kind has its label and its button`(_ kind: MagnetSettings.Kind, _ label: String, _ button: String) throws
    {
        let offer = try offer(kind)
        #expect((offer.kindLabel(at: .distantPast), offer.button) == (label, button))
        #expect(offer.page(form: [:], at: .distantPast).text("kind_label") == label)
    }

    @Test func `a label says what is different about an offer`() throws {
        #expect(try offer { $0.deliver = .page }.button == "Get the download")
        let film = try offer(.webinar) { $0.webinar.recording = "https://acme.example" }
        #expect(film.kindLabel(at: .distantPast) == "Webinar recording")
        let start = try #require(Timestamp.date("2026-05-04 16:00:00.000"))
        let course = try offer(.webinar) {
            ($0.webinar.recording, $0.webinar.startsAt, $0.url) = (
                "https://acme.example", start, "https://meet.acme.example"
            )
        }
        #expect(course.kindLabel(at: start + 3599) == "Webinar")
        #expect(course.kindLabel(at: start + 3600) == "Webinar recording")
    }

    @Test func `an offer has its address and the name of its file`() throws {
        let offer = try offer { $0.asset = Located("assets/2026/plan.pdf") }
        #expect(offer.path == "/offers/plan" && offer.url == "http://localhost:8080/offers/plan")
        #expect(offer.fileName == "plan.pdf")
        #expect(try self.offer(.link).fileName == "plan")
    }

    // MARK: - What it says of itself

    @Test(arguments: [
        ("UTC", "Monday 4 May 2026, 16:00 (UTC)"), ("Europe/Berlin", "Monday 4 May 2026, 18:00 (Europe/Berlin)"),
        ("Australia/Sydney", "Tuesday 5 May 2026, 02:00 (Australia/Sydney)"),
        ("America/New_York", "Monday 4 May 2026, 12:00 (America/New_York)"),
    ])
    func `a webinar begins in the zone of the site`(_ zone: String, _ time: String) throws {
        let config = try Config.parse("site: {timezone: \(zone)}", plugins: [])
        let offer = try offer(.webinar, config: config) { $0.webinar.startsAt = Timestamp.date("2026-05-04 16:00:00") }
        #expect(offer.time == time)
        #expect(offer.page(form: [:], at: .distantPast).text("meta") == time)
        #expect(try self.offer(.webinar).time == nil)
    }

    @Test(arguments: [
        (999, "PDF, 999 bytes"), (1000, "PDF, 1 kB"), (999_999, "PDF, 999 kB"), (1_260_000, "PDF, 1.2 MB"),
    ])
    func `a file says its kind and its size`(_ size: Int, _ meta: String) throws {
        let crm = try TestKernel(files: ["plan.pdf": String(repeating: "x", count: size)])
        #expect(
            try offer(config: crm.kernel.config) { $0.asset = Located("plan.pdf") }.page(form: [:], at: .distantPast)
                .text("meta") == meta
        )
    }

    @Test func `a trial says how long it lasts, and what is not known is left out`() throws {
        #expect(
            try offer(.trial) { $0.trial.days = 30 }.page(form: [:], at: .distantPast).text("meta") == "30 days, free")
        #expect(try offer(.link).page(form: [:], at: .distantPast)["meta"] == nil)
        let page = try offer {
            $0.asset = Located("gone.pdf"); $0.page = Located("gone.md")
        }.page(form: [:], at: .distantPast)
        #expect(page["meta"] == nil && page["text_html"] == nil && page["description"] == nil)
        #expect(page.text("headline") == "The plan")
    }

    // MARK: - Webinars that are over

    /// What `trellis capture --magnet` says, by the settings of the webinar that ended at 17:00.
    private func notes(_ settings: String, isByHouse: Bool = true, at time: String = "2026-05-04 17:00:00") throws
        -> [String]
    {
        let crm = try TestKernel(
            """
            plugins: {lead_magnets: {magnets: {course: {title: The course, kind: webinar, url: "https://meet.acme.example/1", \(settings)}}}}
            """, plugins: [LeadMagnets.self])
        crm.clock.set(time)
        var draft = try crm.kernel.draft([("email", "ann@a.example")])
        (draft.form, draft.isByHouse) = ("course", isByHouse)
        let proposal = draft
        let result = try crm.kernel.write(origin: "form:course") { try $0.capture(proposal) }
        #expect(try crm.rows("SELECT id FROM leads") == ["\(result.leadID)"])
        return result.notes
    }

    @Test func `whoever puts a lead into a webinar that is over is told what follows`() throws {
        let plain = #"webinar: {starts_at: "2026-05-04 16:00"}"#
        let recorded = #"webinar: {starts_at: "2026-05-04 16:00", recording: "https://video.acme.example/1"}"#
        #expect(
            try notes(plain) == [
                "The webinar 'course' was over on 2026-05-04 17:00 UTC, and has no recording: the mail 'magnet-webinar' still goes out, "
                    + "as if they had a seat. Write webinar: {recording: https://…} before it does, or move starts_at on."
            ])
        #expect(try notes("\(plain), deliver: page") == notes(plain))
        #expect(
            try notes(recorded) == [
                "The webinar 'course' was over on 2026-05-04 17:00 UTC: the mail 'magnet-webinar' leads to its recording, https://video.acme.example/1."
            ])
        #expect(try notes("\(recorded), deliver: page") == notes(recorded))
        #expect(try notes(plain, isByHouse: false) == [])
        #expect(try notes(plain, at: "2026-05-04 16:59:59") == [])
    }
}
