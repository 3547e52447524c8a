import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct MixedScriptTests {
    /// An address as typed, the A-label of its domain, and the parts that mix scripts.
    static let addresses: [(String, String, [String])] = [
        // One script, whichever.
        ("ann@apple.example", "apple.example", []), ("ANN@APPLE.EXAMPLE", "apple.example", []),
        ("jo@bücher.example", "xn--bcher-kva.example", []), ("jo@xn--bcher-kva.example", "xn--bcher-kva.example", []),
        ("jo@straße.example", "xn--strae-oqa.example", []), ("jörg@müller.example", "xn--mller-kva.example", []),
        ("zoë@čeština.example", "xn--etina-gya30d.example", []), ("ı@ığdır.example", "xn--dr-wna5ec.example", []),
        ("иван@почта.example", "xn--80a1acny.example", []), ("иван@почта.рф", "xn--80a1acny.xn--p1ai", []),
        ("ivan@почта.рф", "xn--80a1acny.xn--p1ai", []), ("нина@xn--80a1acny.example", "xn--80a1acny.example", []),
        ("νίκος@παράδειγμα.example", "xn--hxajbheg2az3al.example", []), ("ani@հայ.example", "xn--y9a3aq.example", []),
        ("dan@דוגמה.example", "xn--6dbbec0c.example", []), ("sami@مثال.example", "xn--mgbh0fb.example", []),
        ("raj@उदाहरण.example", "xn--p1b6ci4b4b3a.example", []), ("nok@ตัวอย่าง.example", "xn--72c1a1bt4awk9o.example", []),
        ("gia@მაგალითი.example", "xn--lodafveble.example", []), ("li@例子.example", "xn--fsqu00a.example", []),
        ("ken@例え.example", "xn--r8jz45g.example", []), ("kim@실례.example", "xn--9n2bp8q.example", []),
        // Latin beside Japanese, Chinese and Korean is how they write.
        ("ken@abc例え.example", "xn--abc-b73b408n.example", []), ("ken@テストabc.example", "xn--abc-4k4bocn.example", []),
        ("kim@lg전자.example", "xn--lg-c28j3o.example", []), ("li@qq音乐.example", "xn--qq-r12c3310a.example", []),
        // Digits, hyphens and marks belong to all.
        ("a-1@a-1.example", "a-1.example", []), ("иван-1@почта-1.example", "xn---1-6kc9cet8a.example", []),
        ("ann+иван@apple.example", "apple.example", ["local_part"]),
        // A letter of another script within a word.
        ("ann@аpple.example", "xn--pple-43d.example", ["domain"]),
        ("ann@xn--pple-43d.example", "xn--pple-43d.example", ["domain"]),
        ("ann@pаypal.example", "xn--pypal-4ve.example", ["domain"]),
        ("ann@paypаl.example", "xn--paypl-7ve.example", ["domain"]),
        ("ann@gооgle.example", "xn--ggle-55da.example", ["domain"]),
        ("ann@αpple.example", "xn--pple-zld.example", ["domain"]),
        ("ann@micrоsoft.example", "xn--micrsoft-qbh.example", ["domain"]),
        ("ann@shop.аmazon.example", "shop.xn--mazon-3ve.example", ["domain"]),
        ("ann@bаnk.shop.example", "xn--bnk-6cd.shop.example", ["domain"]),
        ("ann@օnline.example", "xn--nline-kkg.example", ["domain"]),
        ("ann@почтa.example", "xn--a-0tbcny.example", ["domain"]),
        ("ann@αлфа.example", "xn--mxa8w6ayb.example", ["domain"]),
        ("аnn@apple.example", "apple.example", ["local_part"]),
        ("аdmin@аpple.example", "xn--pple-43d.example", ["local_part", "domain"]),
        ("sуpport@apple.example", "apple.example", ["local_part"]),
        ("иbан@почта.example", "xn--80a1acny.example", ["local_part"]),
        ("ann漢@apple.example", "apple.example", []), ("аnn漢@apple.example", "apple.example", ["local_part"]),
        ("ᏢaypaI@apple.example", "apple.example", ["local_part"]),
        ("ꓐank@apple.example", "apple.example", ["local_part"]),
        ("ܐnn@apple.example", "apple.example", ["local_part"]), ("𝐚nn@apple.example", "apple.example", []),
        ("𝛂nn@apple.example", "apple.example", ["local_part"]),
    ]

    @Test(arguments: addresses)
    func `an address is kept under its A-label, and tells which parts mix scripts`(
        _ typed: String, _ domain: String, _ parts: [String]
    ) throws {
        #expect(try EmailAddress(typed).domain == domain)
        #expect(MixedScript.parts(ofAddress: typed) == parts)
    }

    @Test(arguments: [
        ("Ann", false), ("Анна", false), ("Аnna", true), ("Jо", true), ("李小龍 Bruce", false), ("Anna Иванова", false),
        ("O'Brien-Müller", false), ("Ὀδυσσεύς", false), ("Рaul", true), ("Ⅳ", false), ("Ａｎｎ", false), ("Ａｎnа", true),
        ("ﾀﾅｶ", false), ("田中エリー", false), ("박지성 Park", false), ("박지성Parkか", true), ("", false), (" ", false),
        ("42", false),
    ])
    func `a word of a name is in one script`(_ name: String, _ isMixed: Bool) {
        #expect(MixedScript.isMixed(name) == isMixed)
    }

    @Test func `a long text takes no time`() {
        let text = String(repeating: "а", count: 100_000)
        let begin = ContinuousClock.now
        #expect(!MixedScript.isMixed(text) && MixedScript.isMixed(text + "a"))
        #expect(ContinuousClock.now - begin < .seconds(5))
    }

    // MARK: - Leads

    private func flags(_ crm: TestKernel) throws -> [String] {
        try crm.rows(
            "SELECT l.email, f.flag FROM magnets_address_flags AS f JOIN leads AS l ON l.id = f.lead_id WHERE f.flag = 'mixed_script' ORDER BY 1"
        )
    }

    @Test func `a lead of a form is flagged for its domain, its local part or its name`() throws {
        let crm = try MagnetSite.crm()
        for (email, name) in [
            ("ann@аpple.example", "Ann"), ("bоb@b.example", "Bob"), ("cid@c.example", "Сid"), ("dan@d.example", "Dan"),
            ("eva@почта.рф", "Ева"),
        ] {
            try crm.capture(["email": email, "first_name": name], form: "plan")
        }
        try crm.capture(["email": "fay@pаypal.example"])
        try crm.pump()
        #expect(
            try flags(crm) == [
                "ann@xn--pple-43d.example|mixed_script", "bоb@b.example|mixed_script", "cid@c.example|mixed_script",
            ])
        #expect(
            try crm.rows("SELECT lead_id, part FROM magnets_mixed_scripts") == ["1|domain", "2|local_part", "3|name"])
        #expect(try crm.troubles() == [])
    }

    @Test func `another form of the lead is looked at again`() throws {
        let crm = try MagnetSite.crm()
        try crm.capture(["email": "ann@a.example", "first_name": "Аnn"], form: "plan")
        try crm.pump()
        #expect(try flags(crm).count == 1)
        try crm.foreign("UPDATE leads SET first_name = 'Ann'")
        try crm.capture(["email": "ann@a.example", "first_name": "Ann"], form: "plan")
        try crm.pump()
        #expect(try flags(crm) == [])
    }

    @Test func `the letters of a domain and its A-label are one lead`() throws {
        let crm = try MagnetSite.crm()
        for email in ["jo@bücher.example", "jo@xn--bcher-kva.example", "JO@BÜCHER.EXAMPLE", "jo@bu\u{308}cher.example"]
        {
            try crm.capture(["email": email, "first_name": "Jo"], form: "plan")
        }
        #expect(try crm.rows("SELECT email FROM leads") == ["jo@xn--bcher-kva.example"])
    }

    @Test func `a magnet may refuse such an address, and says so`() async throws {
        let crm = try TestKernel(
            "plugins: {lead_magnets: {magnets: {tool: {title: T, kind: link, url: \"https://t.example\", refuse: [mixed_script]}}}}",
            plugins: [LeadMagnets.self])
        let browser = Browser(crm)
        let form = try WebForm(try await browser.fillIn("tool", ["email": "ann@аpple.example"]))
        #expect(
            form.errors == ["email: This address mixes the letters of several alphabets. Please type it once more."])
        #expect(try await browser.fillIn("tool", ["email": "ann@почта.рф"]).status == 303)
    }
}
