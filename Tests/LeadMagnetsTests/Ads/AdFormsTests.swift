import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct AdFormsTests {
    private let site: AdSite
    private var crm: TestKernel { site.crm }

    init() throws {
        site = try AdSite()
    }

    // MARK: - Requests

    private func ask(
        _ method: Endpoint.Method, _ name: String, body: String = "", headers: [String: String] = [:],
        query: String = ""
    ) async throws -> (status: Int, text: String) {
        try await site.ask(method, name, body: body, headers: headers, query: query)
    }

    private func google(
        _ id: String = "g-1", _ columns: [String: String] = [:], key: String = AdSite.key, more: String = ""
    )
        -> String
    {
        let usual = ["EMAIL": "ann@a.example", "FULL_NAME": "Ann Lee", "what_is_your_budget": "500"]
        let data = usual.merging(columns) { _, own in own }.sorted { $0.key < $1.key }.map {
            #"{"column_id": "\#($0.key)", "string_value": "\#($0.value)"}"#
        }
        return
            #"{"lead_id": "\#(id)", "campaign_id": 77, "gcl_id": "Cj0K", "google_key": "\#(key)", \#(more) "user_column_data": [\#(data.joined(separator: ","))]}"#
    }

    private func meta(_ id: String = "m-1", email: String = "ann@a.example") -> String {
        #"{"id": "\#(id)", "form_id": "5", "field_data": [{"name": "email", "values": ["\#(email)"]}]}"#
    }

    private func linkedin(_ id: String = "l-1", more: String = "") -> String {
        #"{"id": "\#(id)", \#(more) "formResponse": {"answers": [{"name": "email", "answerDetails": {"textQuestionAnswer": {"answer": "ann@a.example"}}}]}}"#
    }

    private func sign(_ body: String, _ platform: String, key: String = AdSite.key) -> [String: String] {
        site.sign(body, platform, key: key)
    }

    private func nothingHappened() throws -> Bool {
        try crm.events() == [] && crm.rows("SELECT id FROM magnets_quarantine") == []
            && crm.rows("SELECT platform_id FROM magnets_platform_leads") == []
    }

    // MARK: - What is taken

    @Test func `a lead of Google is a lead of the magnet, with its fields, its touch and its consent`() async throws {
        let reply = try await ask(.post, "google-plan", body: google("g-1", ["agree": "yes", "unknown": "x"]))
        #expect(reply == (200, #"{"taken":1}"#))
        // The form of the magnet does not ask for a last name; Google's did.
        #expect(
            try crm.rows("SELECT email, first_name, last_name, budget, campaign FROM leads") == [
                "ann@a.example|Ann|Lee|500|77"
            ])
        #expect(
            try crm.rows("SELECT kind, channel, source, medium, campaign, click_id_kind, click_id FROM touches") == [
                "form|paid_search|google|cpc|77|gclid|Cj0K"
            ])
        #expect(
            try crm.rows("SELECT purpose, state, source, agent FROM consents") == [
                "newsletter|granted|form:google-plan|google lead form"
            ])
        #expect(
            try crm.rows("SELECT platform, platform_id, lead_id FROM magnets_platform_leads") == ["google|g-1|1"])
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["ann@a.example"])
        #expect(try crm.troubles() == [])
    }

    @Test func `leads of Meta and LinkedIn are taken under their signatures`() async throws {
        for (name, body) in [("meta", meta()), ("linkedin", linkedin())] {
            let reply = try await ask(.post, "\(name)-plan", body: body, headers: sign(body, name))
            #expect(reply == (200, #"{"taken":1}"#), "\(name)")
        }
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@a.example"])
        #expect(
            try crm.rows("SELECT source, channel FROM touches ORDER BY id") == [
                "meta|paid_social", "linkedin|paid_social",
            ])
        #expect(try crm.rows("SELECT platform, lead_id FROM magnets_platform_leads") == ["linkedin|1", "meta|1"])
    }

    @Test func `a consent is proved by the question of the platform, also of a lead that was held`() async throws {
        let question = #"{"column_id": "agree", "column_name": " May we write to you? ", "string_value": "yes"}"#
        for (id, email) in [("g-1", "ann@a.example"), ("g-2", "no-address")] {
            let body = google(id, ["EMAIL": email]).replacing(
                #""user_column_data": ["#, with: #""user_column_data": [\#(question),"#)
            #expect(try await ask(.post, "google-plan", body: body).status == 200)
        }
        _ = try crm.run("magnets release", "1", "email=bob@b.example")
        // Where the platform does not say how it asked, its name of it; the sentence of the page was seen by nobody.
        _ = try await ask(.post, "google-plan", body: google("g-3", ["EMAIL": "cem@c.example", "agree": "yes"]))
        #expect(
            try crm.rows("SELECT lead_id, purpose, state, text FROM consents ORDER BY id") == [
                "1|newsletter|granted|May we write to you?", "2|newsletter|requested|May we write to you?",
                "3|newsletter|granted|agree",
            ])
    }

    @Test func `a box that was not ticked is no consent`() async throws {
        for (index, answer) in ["no", "", "false"].enumerated() {
            _ = try await ask(.post, "google-plan", body: google("g-\(index)", ["agree": answer]))
        }
        #expect(try crm.rows("SELECT * FROM consents") == [])
    }

    @Test func `a test of the platform is answered, and is no lead`() async throws {
        #expect(
            try await ask(.post, "google-plan", body: google(more: #""is_test": true,"#)) == (200, #"{"taken":0}"#))
        #expect(try nothingHappened())
    }

    // MARK: - Once

    @Test(arguments: ["google", "meta", "linkedin"])
    func `sent ten times, one after the other and at once, a lead is one`(_ platform: String) async throws {
        let body = ["google": google(), "meta": meta(), "linkedin": linkedin()][platform] ?? ""
        let headers = platform == "google" ? [:] : sign(body, platform)
        for _ in 1...5 {
            #expect(try await ask(.post, "\(platform)-plan", body: body, headers: headers).status == 200)
            crm.clock.advance(by: "40 days")
        }
        let kernel = crm.kernel
        let endpoint = try site.endpoint(.post)
        let request = WebRequest(
            kernel: kernel, method: "POST", path: "/webhooks/x", parameters: ["name": "\(platform)-plan"],
            body: Array(body.utf8), client: .none, headers: headers)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1...5 { group.addTask { try await endpoint(request).status } }
            for try await status in group { #expect(status == 200) }
        }
        try await crm.work()
        #expect(try crm.value("SELECT count(*) FROM magnets_platform_leads") == "1")
        #expect(try crm.value("SELECT count(*) FROM touches") == "1")
        #expect(try crm.events().filter { $0 == "form.submitted" }.count == 1)
        #expect(crm.transport.sent.count == 1)
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead in quarantine is there once, and one who was erased does not come back by a replay`()
        async throws
    {
        for _ in 1...3 { _ = try await ask(.post, "google-plan", body: google("g-2", ["EMAIL": "no-address"])) }
        #expect(try crm.value("SELECT count(*) FROM magnets_quarantine") == "1")
        _ = try await ask(.post, "google-plan", body: google())
        _ = try Person(email: "ann@a.example").erase(crm.kernel)
        #expect(try await ask(.post, "google-plan", body: google()).status == 200)
        #expect(try crm.rows("SELECT email FROM leads") == [])
        #expect(try crm.rows("SELECT email FROM magnets_quarantine") == ["no-address"])
    }

    @Test func `a lead that was paid for is held until somebody decides, a form for thirty days`() async throws {
        for (id, address) in [("g-1", "no-address"), ("g-2", "none")] {
            _ = try await ask(.post, "google-plan", body: google(id, ["EMAIL": address]))
        }
        let held = "SELECT email FROM magnets_quarantine ORDER BY id"
        try crm.foreign(
            """
            INSERT INTO magnets_quarantine (magnet, reasons, email, fields, agent, at)
            VALUES ('plan', 'no form token', 'bot@b.example', '{}', 'google lead form, lead g-9', '2026-03-02 09:00:00.000')
            """)
        #expect(try crm.rows(held) == ["no-address", "none", "bot@b.example"])
        crm.clock.advance(by: "31 days")
        try crm.kernel.write(origin: "cli") { try Quarantine.empty($0) }
        #expect(try crm.rows(held) == ["no-address", "none"])
        try crm.foreign("UPDATE magnets_quarantine SET released_at = at WHERE id = 1")
        try crm.kernel.write(origin: "cli") { try Quarantine.empty($0) }
        #expect(try crm.rows(held) == ["none"], "one that was taken in goes as before")
    }

    // MARK: - Addresses

    @Test func `an address that the magnet refuses is held with the reason, and may be taken in`() async throws {
        let crm = try TestKernel(
            """
            plugins:
              lead_magnets:
                magnets: {tool: {title: T, kind: link, url: "https://t.example", refuse: [disposable, role]}}
                lead_forms: {google-tool: {platform: google, magnet: tool, key: "${TRELLIS_SECRET}"}}
            """, plugins: [LeadMagnets.self])
        for (id, email) in [("g-1", "ann@mailinator.com"), ("g-2", "info@a.example"), ("g-3", "ann@a.example")] {
            let body = google(id, ["EMAIL": email])
            #expect(try await AdSite(crm: crm).ask(.post, "google-tool", body: body) == (200, #"{"taken":1}"#))
        }
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@a.example"])
        #expect(
            try crm.rows("SELECT email, reasons FROM magnets_quarantine ORDER BY id") == [
                "ann@mailinator.com|the magnet refuses such an address: disposable",
                "info@a.example|the magnet refuses such an address: role",
            ])
        _ = try crm.run("magnets release", "2")
        #expect(try crm.rows("SELECT email FROM leads ORDER BY id") == ["ann@a.example", "info@a.example"])
        #expect(try crm.rows("SELECT channel, click_id FROM touches") == ["paid_search|Cj0K", "paid_search|Cj0K"])
    }

    @Test func `an address that no mail reaches is held where something is mailed`() async throws {
        _ = try await ask(.post, "google-plan", body: google("g-1", ["EMAIL": "jürgen@a.example"]))
        #expect(try crm.rows("SELECT email FROM leads") == [])
        #expect(
            try crm.rows("SELECT email, reasons FROM magnets_quarantine") == [
                "jürgen@a.example|no mail reaches the address: the part before the @ is not ASCII"
            ])
    }

    @Test func `what is for the page is mailed to a lead of a platform, so such an address is held there too`()
        async throws
    {
        let crm = try MagnetSite.crm(
            #"lead_forms: {google-chart: {platform: google, magnet: chart, key: "${TRELLIS_SECRET}"}}"#)
        let body = google("g-1", ["EMAIL": "jürgen@a.example"])
        #expect(try await AdSite(crm: crm).ask(.post, "google-chart", body: body).status == 200)
        #expect(
            try crm.rows("SELECT email, reasons FROM magnets_quarantine") == [
                "jürgen@a.example|no mail reaches the address: the part before the @ is not ASCII"
            ])
    }

    @Test func `a lead on which a filter of the config fails is held, and those behind it are taken`() async throws {
        let crm = try MagnetSite.crm(
            #"lead_forms: {google-plan: {platform: google, magnet: plan, key: "${TRELLIS_SECRET}"}}"#,
            sections: "hooks: {rv: {filter: lead, set: \"SELECT 'zz' AS country WHERE :email LIKE '%@z.example'\"}}\n")
        for (id, email) in [("g-1", "ann@z.example"), ("g-2", "bob@b.example")] {
            let reply = try await AdSite(crm: crm).ask(.post, "google-plan", body: google(id, ["EMAIL": email]))
            #expect(reply.status == 200)
        }
        #expect(try crm.rows("SELECT email FROM leads") == ["bob@b.example"])
        let held = try crm.rows("SELECT email, reasons FROM magnets_quarantine")
        #expect(held.count == 1 && held[0].hasPrefix("ann@z.example|hooks/rv failed: "), "\(held)")
    }

    @Test func `a held lead with a value that does not fit is taken in without it, or with another`() async throws {
        for (id, email) in [("g-1", "ann@a.example"), ("g-2", "bob@b.example")] {
            _ = try await ask(.post, "google-plan", body: google(id, ["EMAIL": email, "COUNTRY": "Narnia"]))
        }
        #expect(
            try crm.rows("SELECT reasons FROM magnets_quarantine")
                == Array(repeating: "country: expected a country such as DE or Germany", count: 2))
        #expect(
            try crm.run("magnets release", "1") == [
                "Lead 1 is taken in. Left out: country: expected a country such as DE or Germany. 'trellis magnets quarantine 1' shows what was typed."
            ])
        #expect(try crm.run("magnets release", "2", "country=Norway") == ["Lead 2 is taken in."])
        #expect(
            try crm.rows("SELECT email, last_name, budget, country FROM leads ORDER BY id") == [
                "ann@a.example|Lee|500|", "bob@b.example|Lee|500|NO",
            ])
        #expect(try crm.rows("SELECT channel, click_id FROM touches") == ["paid_search|Cj0K", "paid_search|Cj0K"])
    }

    // MARK: - What is refused

    @Test func `a wrong key is refused, and nothing is kept`() async throws {
        for key in [
            "", "wrong", String(AdSite.key.dropLast()), AdSite.key + "x", AdSite.key.uppercased(),
        ] {
            #expect(try await ask(.post, "google-plan", body: google(key: key)) == (401, "The signature is wrong."))
        }
        #expect(try await ask(.post, "google-plan", body: #"{"lead_id": "1"}"#).status == 401)
        #expect(try await ask(.post, "google-plan", body: #"{"lead_id": "1", "google_key": null}"#).status == 401)
        #expect(try nothingHappened())
    }

    @Test(arguments: ["meta", "linkedin"])
    func `another byte, another key and no signature are refused`(_ platform: String) async throws {
        let body = platform == "meta" ? meta() : linkedin()
        let good = sign(body, platform)
        let cases = [
            (body + " ", good), (body.replacing("ann@", with: "amn@"), good), (body, [:]),
            (body, sign(body, platform, key: "another key")), (body, good.mapValues { String($0.dropLast()) }),
            (body, good.mapValues { $0.uppercased() }), (body, good.mapValues { _ in "" }),
            (body, sign(body, platform == "meta" ? "linkedin" : "meta")),
        ]
        for (index, (body, headers)) in cases.enumerated() {
            let reply = try await ask(.post, "\(platform)-plan", body: body, headers: headers)
            #expect(reply == (401, "The signature is wrong."), "case \(index)")
        }
        #expect(try nothingHappened())
    }

    @Test func `what a platform signed long ago, or in the future, is refused`() async throws {
        // 2026-03-02 09:00:00 is the time of the clock.
        let now = 1_772_442_000
        let times = [(-86_400, 200), (-172_800, 200), (-172_801, 401), (300, 200), (301, 401)]
        for (index, (offset, status)) in times.enumerated() {
            let notice =
                #"{"entry": [{"time": \#(now + offset), "changes": [{"value": {"leadgen_id": "m-\#(index)"}}]}]}"#
            #expect(
                try await ask(.post, "meta-plan", body: notice, headers: sign(notice, "meta")).status == status,
                "meta \(offset)")
            let body = linkedin("l-\(index)", more: #""occurredAt": \#((now + offset) * 1000),"#)
            #expect(
                try await ask(.post, "linkedin-plan", body: body, headers: sign(body, "linkedin")).status == status,
                "linkedin \(offset)")
        }
        #expect(try crm.value("SELECT count(*) FROM magnets_platform_leads") == "6")
    }

    @Test func `what is no JSON, and a form nobody has, is refused`() async throws {
        #expect(try await ask(.post, "google-plan", body: "a=b") == (400, "The body is no JSON."))
        #expect(try await ask(.post, "google-plan", body: "") == (400, "The body is no JSON."))
        #expect(try await ask(.post, "gone", body: google()).status == 404)
        #expect(try nothingHappened())
    }

    @Test func `a lead that cannot be taken in is kept with the reason, because nobody asks twice`() async throws {
        let cases = [
            (google("g-1", ["EMAIL": "no-address"]), "the address has no @; write it as name@example.org"),
            (google("g-2", ["what_is_your_budget": "much"]), "expected a whole number"),
        ]
        for (body, _) in cases {
            #expect(try await ask(.post, "google-plan", body: body) == (200, #"{"taken":1}"#))
        }
        let notice = #"{"entry": [{"time": 1772442000, "changes": [{"value": {"leadgen_id": "m-3"}}]}]}"#
        #expect(try await ask(.post, "meta-plan", body: notice, headers: sign(notice, "meta")).status == 200)
        let reasons = try crm.rows("SELECT reasons FROM magnets_quarantine ORDER BY id")
        #expect(reasons.count == 3)
        for (reason, (_, expected)) in zip(reasons, cases) { #expect(reason.contains(expected), "\(reason)") }
        #expect(
            reasons.last
                == "the notification brings no answers: fetch lead m-3 from meta and import it, or give the form its access_token"
        )
        #expect(
            try crm.rows("SELECT magnet, email, agent FROM magnets_quarantine ORDER BY id LIMIT 1") == [
                "plan|no-address|google lead form, lead g-1"
            ])
        #expect(try crm.rows("SELECT lead_id FROM magnets_platform_leads WHERE lead_id IS NOT NULL") == [])
        #expect(try crm.rows("SELECT email FROM leads") == [])
        #expect(try !crm.rows("SELECT fields FROM magnets_quarantine").joined().contains(AdSite.key))
    }

    @Test func `a platform's own questions are taken, and a lead without an address or a number is held`() async throws
    {
        let phone =
            #"{"id": "7", "field_data": [{"name": "phone_number", "values": ["+49 30 1234567"]}, {"name": "full_name", "values": ["Ann Lee"]}]}"#
        _ = try await ask(.post, "meta-plan", body: phone, headers: sign(phone, "meta"))
        #expect(try crm.rows("SELECT phone, first_name, last_name FROM leads") == ["+49301234567|Ann|Lee"])
        let nobody = #"{"id": "8", "field_data": [{"name": "full_name", "values": ["Bob"]}]}"#
        #expect(try await ask(.post, "meta-plan", body: nobody, headers: sign(nobody, "meta")).status == 200)
        #expect(
            try crm.rows("SELECT reasons FROM magnets_quarantine") == [
                "email: a lead needs an email, a phone or an external_id"
            ])
        #expect(try crm.run("magnets discard", "1") == ["The form 1 is gone."])
        #expect(throws: KernelError.self) { try crm.run("magnets discard", "1") }
    }

    @Test func `what is released keeps its name, its road and its box, and sets no column that nobody mapped`()
        async throws
    {
        let columns = ["what_is_your_budget": "much", "agree": "yes", "stage": "customer"]
        _ = try await ask(.post, "google-plan", body: google("g-1", columns))
        #expect(
            try crm.rows(
                "SELECT json_extract(fields, '$.last_name'), json_extract(fields, '$.\"google:stage\"') FROM magnets_quarantine"
            ) == ["Lee|customer"])
        try crm.foreign("UPDATE magnets_quarantine SET fields = json_set(fields, '$.budget', '7')")
        try crm.run("magnets release", "1")
        #expect(
            try crm.rows("SELECT email, first_name, last_name, budget, stage, campaign FROM leads") == [
                "ann@a.example|Ann|Lee|7|lead|77"
            ])
        #expect(try crm.rows("SELECT channel, state FROM touches, consents") == ["paid_search|requested"])
    }

    // MARK: - Proving that the address is ours

    @Test func `Meta is answered its challenge for the verify token alone`() async throws {
        let escaped = AdSite.token.replacing(" ", with: "%20").replacing(",", with: "%2C")
        let good = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=\(escaped)"
        #expect(try await ask(.get, "meta-plan", query: good) == (200, "1158201444"))
        for query in [
            "", "hub.challenge=1", good.replacing("token=", with: "token=x"), "hub.verify_token=\(escaped)",
            "hub.challenge=1&hub.verify_token=",
        ] {
            #expect(try await ask(.get, "meta-plan", query: query) == (403, "This is not the verify token."))
        }
        #expect(try await ask(.get, "meta-mute", query: "hub.challenge=1&hub.verify_token=").status == 403)
    }

    @Test func `LinkedIn is answered the signature of its code, and Google asks nothing`() async throws {
        let code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
        #expect(
            try await ask(.get, "linkedin-plan", query: "challengeCode=\(code)") == (
                200,
                #"{"challengeCode":"\#(code)","challengeResponse":"\#(Signature.hex(Array(code.utf8), key: AdSite.key))"}"#
            ))
        #expect(try await ask(.get, "linkedin-plan").status == 404)
        #expect(try await ask(.get, "google-plan").status == 404)
        #expect(try await ask(.get, "gone").status == 404)
    }
}
