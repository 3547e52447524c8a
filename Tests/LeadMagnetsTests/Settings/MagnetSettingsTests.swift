import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct MagnetSettingsTests {
    /// What is wrong with a section, without the places of what is wrong.
    private func problems(_ section: String) throws -> [String] {
        do {
            _ = try TestKernel(
                "plugins: {lead_magnets: \(section)}", plugins: [LeadMagnets.self],
                files: [
                    "plan.pdf": "%PDF-1.4", "pictured.md": "![x](/public/gone.png)\n",
                    "mails/mine.md": "---\nsubject: S\n---\nHello {{confirm_url}}\n",
                ])
            return []
        } catch let problems as ConfigProblems {
            return problems.problems.map {
                $0.description.replacing(#/^config.yaml:\d+:\d+: plugins\.lead_magnets\.?/#, with: "")
            }
        }
    }

    private func problem(_ magnet: String) throws -> String {
        let all = try problems("{magnets: {plan: {title: The plan, \(magnet)}}}")
        #expect(all.count == 1, "\(all)")
        return String((all.first ?? "").trimmingPrefix("magnets.plan"))
    }

    // MARK: - What a magnet needs

    @Test(arguments: [
        ("kind: asset", ": an asset magnet needs its file: asset: assets/plan.pdf"),
        ("kind: link", ": a link magnet needs where it leads: url: https://…"),
        (
            "kind: webinar",
            ": a webinar needs its time or its recording: webinar: {starts_at: \"2026-05-04 16:00\"}, url: https://…"
        ),
        (
            "kind: webinar, webinar: {starts_at: \"2026-05-04 16:00\"}",
            ": a webinar needs where it is joined: url: https://…, or a mail of your own that says it: mail: NAME"
        ),
        (
            "kind: webinar, webinar: {starts_at: \"2026-05-04 16:00\"}, mail: mine, deliver: page",
            ": a webinar needs where it is joined: url: https://…"
        ),
        (
            "kind: trial",
            ": a trial needs where it begins: url: https://…, or a mail of your own that says it: mail: NAME"
        ),
        ("kind: trial, mail: mine, deliver: page", ": a trial needs where it begins: url: https://…"),
    ])
    func `a magnet without what it promises is refused`(_ magnet: String, _ sentence: String) throws {
        #expect(try problem(magnet) == sentence)
    }

    @Test func `a magnet without a title is refused`() throws {
        #expect(
            try problems("{magnets: {plan: {kind: trial}}}") == [
                "magnets.plan: the key 'title' is missing: What people see."
            ])
    }

    @Test(arguments: [
        (
            "kind: trial, url: \"https://a.example\", picture: plan.png",
            "'plan.png' is no address of a picture. Write /public/kitchen.jpg for one in the folder public/, or https://…"
        ),
        (
            "kind: trial, url: \"https://a.example\", picture: /public/gone.png",
            "there is no picture 'gone.png' in public/. Put it there, or name another."
        ),
        (
            "kind: trial, url: \"https://a.example\", picture: /public/plan.pdf",
            "'/public/plan.pdf' is no picture. Its name ends in "
        ),
        (
            "kind: trial, url: \"https://a.example\", page: pictured.md",
            "there is no picture 'gone.png' in public/. Put it there, or name another."
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {fields: [first_name!]}",
            "nobody can be known by its form. Make email or phone required: fields: [email!]"
        ),
    ])
    func `a picture that is not there, and a form by which nobody can be known, are refused`(
        _ magnet: String, _ sentence: String
    ) throws {
        #expect(try problem(magnet).contains(sentence))
    }

    @Test(arguments: [
        "asset: plan.pdf", "kind: link, url: \"https://acme.example\"", "kind: trial, url: \"https://a.example\"",
        "kind: trial, mail: mine", "kind: trial, url: \"https://a.example\", deliver: page",
        "kind: webinar, webinar: {starts_at: \"2026-05-04 16:00\"}, url: \"https://a.example\"",
        "kind: webinar, webinar: {starts_at: \"2026-05-04 16:00\"}, mail: mine",
        "kind: webinar, webinar: {recording: \"https://acme.example/r\"}",
        "kind: webinar, webinar: {starts_at: \"2026-05-04 16:00\", recording: \"https://acme.example/r\"}, deliver: page",
        "kind: trial, url: \"https://a.example\", opt_in: double, confirm_mail: mine, trial: {days: 10}, stage: mql",
    ])
    func `a magnet with it is taken`(_ magnet: String) throws {
        #expect(try problems("{magnets: {plan: {title: The plan, \(magnet)}}}") == [])
    }

    @Test func `where only a mail of the site's own can say where to go, that is noted`() throws {
        let crm = try TestKernel(
            """
            plugins:
              lead_magnets:
                magnets:
                  plan: {title: The plan, kind: trial, mail: mine}
                  film: {title: The film, kind: webinar, mail: mine, webinar: {recording: "https://acme.example/r"}}
            """, plugins: [LeadMagnets.self], files: ["mails/mine.md": "---\nsubject: S\n---\nWrite to us.\n"])
        let notes = try withExtendedLifetime(crm) { try crm.kernel.config.check(plugins: [LeadMagnets.self]) }
        #expect(notes.map(\.place.path) == ["plugins.lead_magnets.magnets.plan.mail"])
        #expect(
            notes.first?.message
                == "without url, {{magnet_url}} in the mail 'mine' is the landing page of the magnet. Say in the mail where to go, or write url: https://…"
        )
    }

    // MARK: - Values

    @Test(arguments: [
        ("kind: assett, asset: plan.pdf", ".kind: expected one of asset, webinar, trial, link, got 'assett'."),
        ("kind: trial, deliver: post", ".deliver: expected one of email, page, got 'post'."),
        ("kind: trial, opt_in: triple", ".opt_in: expected one of single, double, got 'triple'."),
        (
            "kind: trial, refuse: [role, gmail]",
            ".refuse.2: expected one of disposable, role, free_mail, mixed_script, got 'gmail'."
        ),
        ("kind: trial, trial: {days: 0}", ".trial.days: expected a whole number from 1 to 3650, got '0'."),
        (
            "kind: webinar, webinar: {starts_at: \"2026-05-04 16:00\", minutes: 4}",
            ".webinar.minutes: expected a whole number from 5 to 1440, got '4'."
        ),
        (
            "kind: webinar, webinar: {recording: \"https://a.example\", starts_at: soon}",
            ".webinar.starts_at: expected a time such as 2026-01-31 14:00, got 'soon'."
        ),
        (
            "kind: webinar, webinar: {recording: \"https://a.example\", no_show_after: 3 hours}",
            ".webinar: no_show_after counts from the end of the webinar: say when it begins, starts_at: \"2026-05-04 16:00\""
        ),
        (
            "kind: trial, variants: {chief: {weight: 1001}}",
            ".variants.chief.weight: expected a whole number from 0 to 1000, got '1001'."
        ),
        (
            "kind: trial, url: acme.example",
            ".url: expected an address that starts with https:// or http://, got 'acme.example'."
        ),
        (
            "kind: trial, form: {asks: [email!]}", ".form: unknown key 'asks'. There are: fields, more, consent."
        ),
        ("kind: trial, referals: true", ": unknown key 'referals'. Did you mean 'referrals'?"),
    ])
    func `a value that cannot be is named`(_ magnet: String, _ sentence: String) throws {
        #expect(try problem(magnet) == sentence)
    }

    @Test(arguments: [
        ("{visitors: some}", "visitors: expected one of none, consent, always, got 'some'."),
        ("{link_days: 0}", "link_days: expected a whole number from 1 to 365, got '0'."),
        ("{link_days: 366}", "link_days: expected a whole number from 1 to 365, got '366'."),
        ("{magnets: [plan]}", "magnets: expected a mapping of magnets, got a list."),
    ])
    func `a value of the section that cannot be is named`(_ section: String, _ sentence: String) throws {
        #expect(try problems(section) == [sentence])
    }

    // MARK: - What is elsewhere

    @Test(arguments: [
        ("asset: plan.pfd", ".asset: there is no file 'plan.pfd' beside the config."),
        (
            "kind: trial, url: \"https://a.example\", page: gone.md",
            ".page: there is no file 'gone.md' beside the config."
        ),
        (
            "kind: trial, url: \"https://a.example\", variants: {chief: {page: gone.md}}",
            ".variants.chief.page: there is no file 'gone.md' beside the config."
        ),
        ("kind: trial, mail: min", ".mail: there is no mail 'min'. Did you mean 'mine'? Write mails/min.md."),
        (
            "kind: trial, url: \"https://a.example\", confirm_mail: min",
            ".confirm_mail: there is no mail 'min'. Did you mean 'mine'? Write mails/min.md."
        ),
        (
            "kind: trial, url: \"https://a.example\", trial: {field: email}",
            ".trial.field: 'email' is no date among leads.fields, and it would be written over. Declare one for it, such as trial_ends_on: date."
        ),
        (
            "kind: trial, url: \"https://a.example\", trial: {field: emial}",
            ".trial.field: 'emial' is no date among leads.fields, and it would be written over. Declare one for it, such as trial_ends_on: date."
        ),
        (
            "kind: webinar, webinar: {recording: \"https://acme.example/r\", field: emial}",
            ".webinar.field: 'emial' is no time among leads.fields, and it would be written over. Declare one for it, such as webinar_at: time."
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {fields: [email!, emial!]}",
            ".form.fields.2: leads has no column 'emial'. Did you mean 'email'?"
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {more: [phon]}",
            ".form.more.1: leads has no column 'phon'. Did you mean 'phone'?"
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {fields: [email!, account_id]}",
            ".form.fields.2: no form asks for 'account_id': Trellis alone sets it, and a form that asks for it takes nobody in. Take it out."
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {fields: [email!], more: [id]}",
            ".form.more.1: no form asks for 'id': Trellis alone sets it, and a form that asks for it takes nobody in. Take it out."
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {fields: [email!, stage]}",
            ".form.fields.2: no form asks for 'stage': a stranger would choose their own stage. Take it out, and write stage: under the magnet."
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {fields: [email!, owner]}",
            ".form.fields.2: no form asks for 'owner': a stranger would choose who looks after them. Take it out; hooks, imports and commands set it."
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {fields: [email!, created_at]}",
            ".form.fields.2: no form asks for 'created_at': a stranger would choose when they came. Take it out; imports and commands set it."
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {fields: [email!, email]}",
            ".form.fields.2: the form asks for 'email' twice. Keep one."
        ),
        (
            "kind: trial, url: \"https://a.example\", form: {fields: [email!, phone], more: [phone]}",
            ".form.more.1: the form asks for 'phone' twice. Keep one."
        ),
    ])
    func `what is not there is named, with what was meant`(_ magnet: String, _ sentence: String) throws {
        #expect(try problem(magnet) == sentence)
    }

    @Test(arguments: [
        ("assets", "'assets' is a folder, or something else that is no file. Name a file."),
        (".env", "'.env' is hidden, and strangers would download it. Name a file that is not."),
        (".keys/plan.pdf", "'.keys/plan.pdf' is hidden, and strangers would download it. Name a file that is not."),
        ("config.yaml", "'config.yaml' is the config, and strangers would download it. Name another file."),
        ("crm.sqlite", "'crm.sqlite' is the database, and strangers would download it. Name another file."),
        (
            "assets/../crm.sqlite-wal",
            "'assets/../crm.sqlite-wal' is the database, and strangers would download it. Name another file."
        ),
        (
            "/etc/passwd",
            "'/etc/passwd' lies outside the folder of the config, and strangers would download it. Copy it into the folder."
        ),
    ])
    func `a file that strangers must not have is no asset`(_ asset: String, _ sentence: String) throws {
        let error = try #require(throws: ConfigProblems.self) {
            _ = try TestKernel(
                "plugins: {lead_magnets: {magnets: {plan: {title: The plan, asset: \(asset)}}}}",
                plugins: [LeadMagnets.self],
                files: [
                    "assets/plan.pdf": "%PDF-1.4", ".env": "X=1", ".keys/plan.pdf": "%PDF-1.4",
                    "config.yaml": "site: {}",
                    "crm.sqlite": "rows", "crm.sqlite-wal": "rows",
                ])
        }
        #expect(error.problems.map(\.message) == [sentence])
        #expect(error.problems.map(\.place.path) == ["plugins.lead_magnets.magnets.plan.asset"])
    }

    @Test func `a form of an ad platform writes no column that the house decides`() throws {
        let section = """
            {magnets: {plan: {title: The plan, asset: plan.pdf}}, \
            lead_forms: {meta: {platform: meta, magnet: plan, key: \"${TRELLIS_SECRET}\", fields: {who: owner}}}}
            """
        #expect(
            try problems(section) == [
                "lead_forms.meta.fields.who: no form asks for 'owner': a stranger would choose who looks after them. Take it out; hooks, imports and commands set it."
            ])
    }

    @Test(arguments: [
        ("{magnets: {a b/c: {title: T, asset: plan.pdf}}}", "magnets.a b/c", "a b/c"),
        ("{magnets: {\"x?y\": {title: T, asset: plan.pdf}}}", "magnets.x?y", "x?y"),
        ("{magnets: {a..b: {title: T, asset: plan.pdf}}}", "magnets.a..b", "a..b"),
        (
            "{magnets: {plan: {title: T, asset: plan.pdf}}, lead_forms: {g/x: {platform: google, magnet: plan, key: \"${TRELLIS_SECRET}\"}}}",
            "lead_forms.g/x", "g/x"
        ),
    ])
    func `a name that becomes part of an address can stand in one`(
        _ section: String, _ path: String, _ name: String
    ) throws {
        #expect(
            try problems(section) == [
                "\(path): '\(name)' must be letters, digits, -, _ and dots within, 100 at most: it becomes part of addresses."
            ])
    }

    // MARK: - Read

    @Test func `a section is read over its defaults`() throws {
        let settings = MagnetSettings()
        #expect(settings.visitors == .none && settings.linkDays == 7 && settings.magnets.isEmpty)
        let magnet = MagnetSettings.Magnet()
        #expect(magnet.kind == .asset && magnet.deliver == .email && magnet.optIn == .single && !magnet.isReferred)
        #expect(magnet.form.fields.map(\.name.value) == ["email"] && magnet.form.fields[0].isRequired)
        #expect(magnet.trial.days == 14 && magnet.webinar.minutes == 60)
        #expect(MagnetSettings.Variant().weight == 1)
    }

    @Test func `the days a link works are those of the section`() async throws {
        let crm = try MagnetSite.crm("link_days: 2")
        try await Browser(crm).fillIn("guide", ["email": "ann@a.example"])
        try await crm.work()
        let link = try #require(crm.link("confirm", to: "ann@a.example"))
        crm.clock.advance(by: "47 hours")
        #expect(try await Browser(crm).get(link).status == 200)
        crm.clock.advance(by: "1 hour")
        await #expect(throws: WebProblem.self) { try await Browser(crm).get(link) }
    }
}
