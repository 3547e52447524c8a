import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

@Suite struct DripSettingsTests {
    private func problems(_ sequence: String, before: String = "") throws -> [String] {
        do {
            _ = try DripSite.crm(sequence, before: before)
            return []
        } catch let problems as ConfigProblems {
            return problems.problems.map(\.description).map {
                $0.replacing(#/^config.yaml:\d+:\d+: plugins.drip.sequences.course./#, with: "")
            }
        }
    }

    @Test func `a step does one thing`() throws {
        #expect(
            try problems("enter: {on: lead.created}, steps: [{wait: 1 day, mail: one}, {}]") == [
                "steps.1: a step is one of wait, wait_until, wait_for, mail, task, webhook, if, test, set, enter or exit; this one has 2 of them.",
                "steps.2: a step is one of wait, wait_until, wait_for, mail, task, webhook, if, test, set, enter or exit; this one has 0 of them.",
            ])
        #expect(
            try problems("enter: {on: lead.created}, steps: [{mail: one, then: [{exit: true}]}]") == [
                "steps.1: then and else belong beside an if or a wait_for."
            ])
    }

    @Test func `what does not exist is named with what was probably meant, everything in one go`() throws {
        #expect(
            try problems(
                "enter: {on: lead.creatd}, exit: [course.lft], goal: nothing.like, steps: [{mail: thre}, {if: titel, then: [{set: {citty: x}}]}]"
            ) == [
                "enter.on: there is no event 'lead.creatd'. Did you mean 'lead.created'? Activities of your own stand under activities:.",
                "exit.1: there is no event 'course.lft'. Did you mean 'course.left'? Activities of your own stand under activities:.",
                "goal: there is no event 'nothing.like'. Activities of your own stand under activities:.",
                "steps.1.mail: there is no mail 'thre'. Did you mean 'three'? Write mails/thre.md.",
                "steps.2.if: SQL: no such column: titel. Did you mean 'title'?",
                "steps.2.then.1.set.citty: leads has no column 'citty'. Did you mean 'city'?",
            ])
    }

    @Test func `set writes what its column takes as it stands, the same for every lead`() throws {
        let fields =
            "leads: {fields: {budget: real, seats: integer, interest: {type: text, one_of: [waste, staffing]}, ends_on: date, calls: boolean}}"
        let steps = [
            "{set: {id: 77, created_at: soon, updated_at: soon, account_id: 7, contact_id: 7, email: ann@a.example}}",
            "{set: {budget: lots, seats: 1.5, interest: zzz, stage: mqlx, ends_on: soon}}",
            "{set: {ends_on: 2026-01-31 09:00, calls: yes, country: Germany}}",
            #"{set: {city: "{{region}}", stage: null}}"#,
        ]
        #expect(
            try problems(
                "enter: {on: lead.created}, steps: [\(steps.joined(separator: ", "))]", before: fields
            ) == [
                "steps.1.set.id: Trellis itself keeps id, and no step may set it. Leave it out.",
                "steps.1.set.created_at: Trellis itself keeps created_at, and no step may set it. Leave it out.",
                "steps.1.set.updated_at: Trellis itself keeps updated_at, and no step may set it. Leave it out.",
                "steps.1.set.account_id: Trellis itself keeps account_id, and no step may set it. Leave it out.",
                "steps.1.set.contact_id: Trellis itself keeps contact_id, and no step may set it. Leave it out.",
                "steps.1.set.email: a lead is known by its email, and this would be the same for all of them. Leave it out.",
                "steps.2.set.budget: expected a number, got 'lots'.",
                "steps.2.set.seats: expected a whole number, got '1.5'.",
                "steps.2.set.interest: expected one of staffing, waste, got 'zzz'.",
                "steps.2.set.stage: there is no stage 'mqlx'. Did you mean 'mql'? There are: subscriber, lead, mql, sal, sql, opportunity, customer, recycled, disqualified.",
                "steps.2.set.ends_on: expected a day such as 2026-01-31, got 'soon'.",
                "steps.3.set.ends_on: ends_on is kept as '2026-01-31'. Write that, got '2026-01-31 09:00'.",
                "steps.3.set.calls: expected 1 for yes or 0 for no, got 'yes'.",
                "steps.3.set.country: country is kept as 'DE'. Write that, got 'Germany'.",
                "steps.4.set.city: set writes a fixed value, the same for every lead, and fills in no {{variable}}. Write the value itself.",
                "steps.4.set.stage: a lead is never without stage. Write a value.",
            ])
        #expect(
            try problems(
                "enter: {on: lead.created}, steps: [{set: {budget: 20000, seats: 3, interest: waste, stage: mql, ends_on: 2026-01-31, calls: 1, country: DE, city: null}}]",
                before: fields) == [])
    }

    @Test func `each of several events that are waited for is looked up, and so is the condition on it`() throws {
        #expect(
            try problems(
                "enter: {on: lead.created}, steps: [{wait_for: [course.started, course.bougt]}, {wait_for: [course.started, course.started]}]"
            ) == [
                "steps.2.wait_for.2: 'course.started' is waited for twice. Name each event once."
            ])
        #expect(
            try problems(
                "enter: {on: lead.created}, steps: [{wait_for: [course.started, course.bougt]}, {wait_for: [course.started, course.left], where: \"plan = 'pro'\"}, {if: herd IS NULL, then: [{exit: true}]}]"
            ) == [
                "steps.1.wait_for.2: there is no event 'course.bougt'. Did you mean 'course.bought'? Activities of your own stand under activities:.",
                "steps.2.where: SQL: no such column: plan. A text stands in single quotes: 'plan'.",
                "steps.3.if: SQL: no such column: herd. A text stands in single quotes: 'herd'.",
            ])
    }

    @Test func `only a mail is worth sending for a while, and for some time at least`() throws {
        #expect(
            try problems("enter: {on: lead.created}, steps: [{wait: 1 day, within: 1 day}, {mail: one, within: 0}]")
                == [
                    "steps.1: within belongs beside a mail.",
                    "steps.2: within no time at all no mail can go. Say how long, such as 2 days.",
                ])
    }

    @Test func `a sequence has a zone of the IANA database`() throws {
        #expect(
            try problems("enter: {on: lead.created}, timezone: Berlin, steps: [{mail: one}]") == [
                "timezone: expected an IANA time zone such as Europe/Berlin, got 'Berlin'."
            ])
    }

    @Test func `a sequence that mails is told which answers do not end it, with the line that does`() throws {
        func notes(_ exits: String, _ steps: String = "{if: title IS NULL, then: [{mail: one}]}") throws -> [String] {
            let crm = try DripSite.crm("enter: {on: lead.created}, exit: [\(exits)], steps: [\(steps)]")
            return try withExtendedLifetime(crm) {
                try crm.kernel.config.check(plugins: [DripSequencer.self])
                    .filter { $0.place.path == "plugins.drip.sequences.course" }.map(\.message)
            }
        }
        let hard = #"{on: mail.bounced, where: "class = 'hard'"}"#
        let kiel = #"{on: lead.updated, where: "city = 'Kiel'"}"#
        #expect(
            try notes("course.left, \(kiel)") == [
                "it goes on after a reply, a hard bounce, a complaint and unsubscribing. To end it there as well: "
                    + "exit: [course.left, \(kiel), mail.replied, \(hard), mail.complained, lead.unsubscribed]"
            ])
        #expect(
            try notes(
                "mail.replied, mail.bounced, lead.unsubscribed", "{test: {mails: {one: 1, two: 1}, optimise: clicks}}")
                == [])
        #expect(
            try notes("lead.unsubscribed") == [
                "it goes on after a reply. To end it there as well: exit: [lead.unsubscribed, mail.replied]"
            ])
        #expect(
            try notes(#"mail.replied, {on: lead.unsubscribed, where: "reason = 'unsubscribed'"}"#) == [
                "it goes on after a hard bounce and a complaint. To end it there as well: exit: "
                    + #"[mail.replied, {on: lead.unsubscribed, where: "reason = 'unsubscribed'"}, \#(hard), mail.complained]"#
            ])
        #expect(try notes("course.left", "{task: {kind: call, text: Ring}}") == [])
    }

    @Test func `a sequence is entered by an event or by a predicate, not by both`() throws {
        #expect(
            try problems("enter: {on: lead.created, when: title IS NULL}, steps: [{mail: one}]") == [
                "enter: enter has both on (an event) and when (a SQL predicate). Give it one of them, not both."
            ])
        #expect(
            try problems("enter: {}, steps: [{mail: one}]") == [
                "enter: enter needs either on (an event) or when (a SQL predicate)."
            ])
    }

    @Test func `the name of a sequence is letters, digits, - and _`() throws {
        let one = "{enter: {on: lead.created}, steps: [{exit: true}]}"
        do {
            _ = try TestKernel(
                "plugins: {drip: {sequences: {b: \(one), \"b:1\": \(one), New_Year-2: \(one), two words: \(one), früh: \(one)}}}",
                plugins: [DripSequencer.self])
            Issue.record("the config is taken")
        } catch let problems as ConfigProblems {
            #expect(
                problems.problems.map { "\($0.place.path): \($0.message)" }
                    == ["b:1", "two words", "früh"].map {
                        "plugins.drip.sequences.\($0): a sequence is named by up to 100 letters from a to z, digits, - and _; this is '\($0)'."
                    })
        }
    }

    @Test func `re-entry is one of three rules`() throws {
        #expect(
            try problems("enter: {on: lead.created}, reentry: sometimes, steps: [{mail: one}]") == [
                "reentry: expected never, each time, or after a duration such as after 90 days, got 'sometimes'."
            ])
    }

    @Test func `a sequence is shown with its operations and how many leads are at each`() throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{wait: 1 day}, {if: \"title = 'Head'\", then: [{mail: one}], else: [{set: {city: Kiel}}]}, {exit: true}]"
        )
        for number in 1...2 { try crm.lead("l\(number)@a.example") }
        try crm.pump()
        #expect(
            try crm.run("sequences show", "course") == [
                "0|wait 1 day|0", "1|if not (title = 'Head') go to 4|2", "2|mail one|0", "3|go to 5|0",
                "4|set city = Kiel|0", "5|exit|0", "6|end|0",
            ])
        #expect(try crm.run("sequences") == ["course|1|2|0|0|0|2026-03-03 09:00:00.000||0"])
        #expect(try crm.run("sequences list") == crm.run("sequences"))
        #expect(throws: KernelError.usage("There is no sequence 'curse'. Did you mean 'course'? There are: course.")) {
            try crm.run("sequences show", "curse")
        }
        #expect(
            try crm.kernel.ask(LeadCard(leadID: 1)) == [
                [CardLine("sequence", "course: active, 2026-03-03 09:00: if not (title = 'Head') go to 4")]
            ])
    }

    @Test func `the card of a lead says what comes next, what is waited for, and why it ended`() throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, exit: [course.left], steps: [{wait_for: course.started, at_most: 2 days, then: [{wait: 1 day}], else: [{mail: two}]}, {mail: one}]"
        )
        for number in 1...3 { try crm.lead("l\(number)@a.example") }
        try crm.pump()
        try crm.record("course.started", lead: 2)
        try crm.record("course.left", lead: 3)
        try crm.pump()
        #expect(
            try (1...3).map { try crm.kernel.ask(LeadCard(leadID: $0)) } == [
                [
                    [
                        CardLine(
                            "sequence",
                            "course: active, 2026-03-04 09:00: wait for course.started, at most 2 days, then go to 3")
                    ]
                ],
                [[CardLine("sequence", "course: active, 2026-03-03 09:00: mail one")]],
                [[CardLine("sequence", "course: exited (course.left), 2026-03-02 09:00")]],
            ])
    }

    @Test func `marketing mail needs a sender and a postal address, which is said once`() throws {
        do {
            _ = try TestKernel(
                DripSite.yaml("enter: {on: lead.created}, steps: [{mail: one}, {mail: two}]"),
                site: "site: {name: Acme, base_url: \"https://crm.acme.example\", secret: \"${TRELLIS_SECRET}\"}",
                plugins: [DripSequencer.self], files: DripSite.files)
            Issue.record("the config is taken")
        } catch let problems as ConfigProblems {
            #expect(
                problems.problems.map { "\($0.place.path): \($0.message)" }.sorted() == [
                    "mail.from: the marketing mail 'one' needs one, and would be held without it. Add it, such as Acme <hello@acme.example>.",
                    "site.postal_address: the marketing mail 'one' needs one, and would be held without it. Add it, such as Acme Ltd, 1 Main Street, 12345 Springfield.",
                ])
        }
    }
}
