import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct MembershipTests {
    private static let heads = #"heads: {sql: "SELECT id AS lead_id FROM leads WHERE title = 'Head'"}"#
    private static let query =
        "SELECT lead_id, since, until FROM audiences_members WHERE audience = 'heads' ORDER BY since, lead_id"

    @Test func `who comes and who leaves is noticed with the change, and told as an event with its cause`() throws {
        let crm = try AudienceSite.crm(Self.heads)
        try crm.lead("ann@a.example", title: "Head", consents: [])
        try crm.pump()
        #expect(try crm.events() == ["lead.created", "audience.entered"])
        for (title, email) in [("Clerk", "bob@b.example"), ("Head", "cleo@c.example")] {
            crm.clock.advance(by: "60s")
            try crm.foreign("UPDATE leads SET title = '\(title)' WHERE id = 1")
            try crm.lead(email, title: "Head", consents: [])
            try crm.pump()
        }
        #expect(
            try crm.rows(Self.query) == [
                "1|2026-03-02 09:00:00.000|2026-03-02 09:01:00.000", "2|2026-03-02 09:01:00.000|",
                "1|2026-03-02 09:02:00.000|", "3|2026-03-02 09:02:00.000|",
            ])
        #expect(
            try crm.rows(
                "SELECT e.kind, e.lead_id, e.body, e.origin, c.kind FROM events AS e JOIN events AS c ON c.id = e.cause_id WHERE e.kind GLOB 'audience.*' ORDER BY e.id"
            ) == [
                #"audience.entered|1|{"audience":"heads"}|plugin:audiences|lead.created"#,
                #"audience.left|1|{"audience":"heads"}|plugin:audiences|lead.updated"#,
                #"audience.entered|2|{"audience":"heads"}|plugin:audiences|lead.created"#,
                #"audience.entered|1|{"audience":"heads"}|plugin:audiences|lead.updated"#,
                #"audience.entered|3|{"audience":"heads"}|plugin:audiences|lead.created"#,
            ])
        #expect(try crm.rows("SELECT audiences FROM lead_cards WHERE id = 2") == ["heads"])
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a look that another program asks for under a number is one at no audience`() throws {
        let crm = try AudienceSite.crm(Self.heads)
        try crm.lead("ann@a.example", title: "Head", consents: [])
        try crm.pump()
        try crm.foreign(
            """
            INSERT INTO events (kind, origin, at, body)
            VALUES ('audiences.refresh_due', 'sql', '2026-03-02 09:00:00.000', '{"audience": 7}')
            """)
        try crm.pump()
        #expect(try crm.members("heads") == ["1"])
        #expect(try crm.rows("SELECT subscriber, error FROM parked_events") == [])
    }

    @Test func `an audience that begins has its members without their having entered`() throws {
        let before = try TestKernel("plugins: {audiences: {enabled: false}}", plugins: [AudienceExport.self])
        for name in ["ann", "bob"] { try before.lead("\(name)@a.example", title: "Head", consents: []) }
        try before.pump()
        let crm = try before.reopened(AudienceSite.yaml(Self.heads))
        try crm.lead("cleo@a.example", title: "Head", consents: [])
        try crm.pump()
        #expect(try crm.members("heads") == ["1", "2", "3"])
        #expect(try crm.rows("SELECT lead_id FROM events WHERE kind = 'audience.entered'") == ["3"])
    }

    @Test func `an audience says nothing in the log where it is told not to`() throws {
        let crm = try AudienceSite.crm(Self.heads.replacing("}", with: ", events: false}"))
        try crm.lead("ann@a.example", title: "Head", consents: [])
        try crm.pump()
        #expect(try crm.members("heads") == ["1"])
        #expect(try crm.events() == ["lead.created"])
    }

    @Test func `an audience that left the config lets its members go, and a changed one moves them`() throws {
        let before = try AudienceSite.crm(Self.heads + "\nall: {sql: SELECT id AS lead_id FROM leads}")
        for title in ["Head", "Clerk"] { try before.lead("\(title)@a.example", title: title, consents: []) }
        try before.pump()
        before.clock.advance(by: "1 hour")
        let crm = try before.reopened(AudienceSite.yaml(Self.heads.replacing("'Head'", with: "'Clerk'")))
        try crm.kernel.write(origin: "plugin:audiences") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
        #expect(
            try crm.rows("SELECT audience, lead_id, until IS NULL FROM audiences_members ORDER BY 1, 2") == [
                "all|1|0", "all|2|0", "heads|1|0", "heads|2|1",
            ])
        #expect(
            try crm.rows(
                "SELECT kind, lead_id, json_extract(body, '$.audience') FROM events WHERE kind GLOB 'audience.*' ORDER BY id DESC LIMIT 4"
            ) == [
                "audience.entered|2|heads", "audience.left|1|heads", "audience.left|2|all", "audience.left|1|all",
            ])
        #expect(try crm.rows("SELECT name FROM audiences_audiences") == ["heads"])
    }

    @Test func `deleted, restored, merged and erased leads go and come as they should`() throws {
        let crm = try AudienceSite.crm(Self.heads)
        for name in ["ann", "bob", "cleo", "dan"] { try crm.lead("\(name)@a.example", title: "Head", consents: []) }
        try crm.pump()
        crm.clock.advance(by: "1 hour")
        try crm.foreign("DELETE FROM leads WHERE id = 1")
        try crm.kernel.write(origin: "cli") { try $0.merge(2, into: 3) }
        #expect(try Person(email: "dan@a.example").erase(crm.kernel) == 1)
        try crm.pump()
        #expect(try crm.members("heads") == ["3"])
        #expect(try Trash.restore(crm.kernel, ids: [1]) == 1)
        try crm.pump()
        #expect(try crm.members("heads") == ["1", "3"])
        #expect(try crm.troubles() == [])
    }

    @Test func `what follows from the log and from deleted leads names nobody who is no lead`() throws {
        let crm = try AudienceSite.crm("asked: {sql: SELECT lead_id FROM events WHERE kind = 'lead.created'}")
        try crm.lead("ann@a.example", consents: [])
        try crm.pump()
        #expect(try crm.members("asked") == ["1"])
        try crm.foreign("DELETE FROM leads")
        try crm.pump()
        #expect(try crm.members("asked") == [])
    }

    @Test func `audiences are made of others`() throws {
        let crm = try AudienceSite.crm(
            """
            warm: {in: [heads, germans], not_in: [customers]}
            \(Self.heads)
            germans: {sql: SELECT id AS lead_id FROM leads WHERE country = 'DE'}
            customers: {sql: SELECT id AS lead_id FROM leads WHERE stage = 'customer'}
            both: {in: [heads], sql: SELECT id AS lead_id FROM leads WHERE country = 'DE'}
            """)
        for (name, title, country) in [
            ("a", "Head", "DE"), ("b", "Head", "FR"), ("c", "Clerk", "DE"), ("d", "Clerk", "FR"),
        ] {
            try crm.capture(["email": "\(name)@a.example", "title": title, "country": country])
        }
        try crm.pump()
        #expect(try crm.members("warm") == ["1", "2", "3"])
        #expect(try crm.members("both") == ["1"])
        try crm.foreign("UPDATE leads SET stage = 'customer' WHERE id = 1")
        try crm.foreign("UPDATE leads SET title = 'Head' WHERE id = 4")
        try crm.foreign("UPDATE leads SET title = 'Head' WHERE id = 3")
        try crm.pump()
        #expect(try crm.members("warm") == ["2", "3", "4"])
        #expect(try crm.members("both") == ["1", "3"])
        #expect(
            try crm.run("audiences").map { $0.split(separator: "|").prefix(2).joined(separator: " ") } == [
                "warm 3", "heads 4", "germans 2", "customers 1", "both 2",
            ])
    }

    @Test func `rows of other tables are noticed, whoever writes them`() throws {
        let crm = try AudienceSite.crm("social: {sql: SELECT lead_id FROM touches WHERE channel = 'paid_social'}")
        try crm.lead("ann@a.example", consents: [])
        try crm.pump()
        try crm.foreign(
            "INSERT INTO touches (lead_id, at, kind, channel) VALUES (1, '2026-03-01', 'manual', 'paid_social')")
        #expect(try crm.rows("SELECT lead_id FROM audiences_changes") == ["1"])
        crm.clock.set("2100-01-01 00:00:00")
        try crm.pump()
        #expect(try crm.members("social") == ["1"])
        #expect(try crm.rows("SELECT lead_id FROM audiences_changes") == [])
        try crm.foreign("DELETE FROM touches")
        try crm.pump()
        #expect(try crm.members("social") == [])
    }

    @Test func `a trigger that somebody took away is back at the next start, and what it missed is looked for`() throws
    {
        let crm = try AudienceSite.crm("social: {sql: SELECT lead_id FROM touches WHERE channel = 'paid_social'}")
        try crm.lead("ann@a.example", consents: [])
        try crm.pump()
        let names = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'audiences_watch_*'"
        #expect(try crm.rows(names).count == 5)
        try crm.foreign("DROP TRIGGER audiences_watch_touches_insert")
        try crm.foreign(
            "INSERT INTO touches (lead_id, at, kind, channel) VALUES (1, '2026-03-01', 'manual', 'paid_social')")
        try crm.pump()
        #expect(try crm.members("social") == [])
        try crm.kernel.write(origin: "plugin:audiences") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
        #expect(try crm.members("social") == ["1"])
        #expect(try crm.rows(names).count == 5)
        let without = try crm.reopened(AudienceSite.yaml("all: {sql: SELECT id AS lead_id FROM leads}"))
        try without.run("audiences refresh")
        #expect(try without.rows(names) == [])
    }

    @Test func `a change of an account is a change of its leads`() throws {
        let crm = try AudienceSite.crm(
            "big: {sql: SELECT l.id AS lead_id FROM leads AS l JOIN accounts AS a ON a.id = l.account_id WHERE a.employees > 100}"
        )
        try crm.foreign("INSERT INTO accounts (domain) VALUES ('a.example'), ('c.example')")
        for email in ["ann@a.example", "bob@a.example", "cleo@c.example"] { try crm.lead(email, consents: []) }
        try crm.pump()
        #expect(try crm.members("big") == [])
        try crm.foreign("UPDATE accounts SET employees = 500 WHERE domain = 'a.example'")
        try crm.pump()
        #expect(try crm.members("big") == ["1", "2"])
    }

    @Test func `time alone moves members at their moment, and all are looked at at the interval`() throws {
        let crm = try AudienceSite.crm(
            "recent: {sql: \"SELECT lead_id FROM events WHERE kind = 'lead.created' AND at > datetime('now', '-1 day')\", every: 2 hours}"
        )
        try crm.lead("ann@a.example", consents: [])
        try crm.pump()
        #expect(try crm.members("recent") == ["1"])
        let appointments = "SELECT key, due_at FROM scheduled_events ORDER BY due_at"
        #expect(try crm.rows(appointments) == ["audiences clock recent|2026-03-02 11:00:00.000"])
        crm.clock.advance(by: "23 hours")
        try crm.pump()
        #expect(
            try crm.rows(appointments) == [
                "audiences moment 2026-03-03 09:00:01.000|2026-03-03 09:00:01.000",
                "audiences clock recent|2026-03-03 10:00:00.000",
            ])
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(try crm.members("recent") == ["1"])
        crm.clock.advance(by: "1s")
        try crm.pump()
        #expect(try crm.rows("SELECT until FROM audiences_members") == ["2026-03-03 09:00:01.000"])
        #expect(try crm.rows("SELECT count(*) FROM audiences_moments") == ["0"])
        let due = "SELECT kind, count(*) FROM events WHERE kind GLOB 'audiences.*' GROUP BY 1 ORDER BY 1"
        #expect(try crm.rows(due) == ["audiences.moment_due|1", "audiences.refresh_due|1"])
        let kept = "|changed leads; for the clock all leads every 2 hours, each lead at its moment in between"
        #expect(try crm.run("audiences").first?.hasSuffix(kept) == true)
        let note =
            "Its SELECT asks the clock: all leads are looked at every 2 hours, and each lead at its moment in between."
        #expect(try crm.run("audiences show", "recent").last == note + "\nNo file was written yet.")
        #expect(try crm.troubles() == [])
    }

    @Test func `the moment of a lead follows its changes, and what is made of the audience hears of it`() throws {
        let crm = try AudienceSite.crm(
            """
            all: {sql: SELECT id AS lead_id FROM leads}
            fresh: {sql: "SELECT DISTINCT lead_id FROM events WHERE kind = 'demo.booked' AND at > datetime('now', '-10 minutes')"}
            rest: {in: [all], not_in: [fresh]}
            """, before: "activities: {demo.booked: {}}")
        let ann = try crm.lead("ann@a.example", consents: [])
        try crm.record("demo.booked", lead: ann)
        try crm.pump()
        let moments = "SELECT audience, lead_id, due_at FROM audiences_moments"
        #expect(try crm.rows(moments) == ["fresh|1|2026-03-02 09:10:01.000"])
        crm.clock.advance(by: "5 minutes")
        try crm.record("demo.booked", lead: ann)
        try crm.pump()
        #expect(try crm.rows(moments) == ["fresh|1|2026-03-02 09:15:01.000"])
        crm.clock.advance(by: "10 minutes")
        try crm.pump()
        #expect(try crm.members("fresh") == ["1"])
        #expect(try crm.members("rest") == [])
        crm.clock.advance(by: "1s")
        try crm.pump()
        #expect(try crm.members("fresh") == [])
        #expect(try crm.members("rest") == ["1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `where more turn than are looked for, the next look at all leads moves them`() throws {
        let crm = try AudienceSite.crm(
            "recent: {sql: \"SELECT lead_id FROM events WHERE kind = 'lead.created' AND at > datetime('now', '-1 day')\", every: 2 hours}"
        )
        let plugin = try #require(crm.kernel.plugins.first as? AudienceExport)
        let audience = try plugin.audiences.require("recent")
        for name in ["ann", "bob", "cleo"] { try crm.lead("\(name)@a.example", consents: []) }
        try crm.pump()
        crm.clock.advance(by: "23 hours")
        try crm.pump()
        for (leadsMax, moments) in [(3, "3"), (2, "0")] {
            try crm.kernel.write(origin: "test") { tx in
                let upkeep = try #require(try TakeUp(audiences: plugin.audiences, tx: tx).run()["recent"])
                let look = Look(audience: audience, audiences: plugin.audiences, upkeep: upkeep, tx: tx)
                try Turns(look: look, leadsMax: leadsMax).noteAll(found: nil)
            }
            #expect(try crm.rows("SELECT count(*) FROM audiences_moments") == [moments])
        }
        crm.clock.advance(by: "3601s")
        try crm.pump()
        #expect(try crm.members("recent") == ["1", "2", "3"])
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(try crm.members("recent") == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `a shorter interval is kept from the start`() throws {
        func recent(_ every: String) -> String {
            "recent: {sql: \"SELECT lead_id FROM events WHERE at > datetime('now', '-1 day')\", every: \(every)}"
        }
        let before = try AudienceSite.crm(recent("12 hours"))
        try before.lead("ann@a.example", consents: [])
        try before.pump()
        let due = "SELECT due_at FROM scheduled_events WHERE key = 'audiences clock recent'"
        #expect(try before.rows(due) == ["2026-03-02 21:00:00.000"])
        let after = try before.reopened(AudienceSite.yaml(recent("1 hour")))
        try after.run("audiences refresh")
        #expect(try after.rows(due) == ["2026-03-02 10:00:00.000"])
    }

    @Test func `what compares leads is looked at as a whole, once a minute at most, and says so`() throws {
        let crm = try AudienceSite.crm("top: {sql: SELECT id AS lead_id FROM leads ORDER BY employees DESC LIMIT 1}")
        for number in 1...20 {
            try crm.capture(["email": "l\(number)@a.example", "employees": "\(number)"])
            try crm.pump()
        }
        #expect(try crm.members("top") == ["1"])
        #expect(
            try crm.rows("SELECT kind, due_at FROM scheduled_events") == [
                "audiences.refresh_due|2026-03-02 09:01:00.000"
            ])
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.members("top") == ["20"])
        #expect(try crm.events().count { $0 == "audiences.refresh_due" } <= 2)
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
        #expect(
            try crm.run("audiences").first?.hasSuffix("|all leads, once a minute at most: it reads all of leads")
                == true)
    }

    @Test func `what was missed while the plugin was off is caught up, whatever it resumes from`() throws {
        let before = try AudienceSite.crm(Self.heads)
        try before.lead("ann@a.example", title: "Head", consents: [])
        try before.pump()
        before.clock.advance(by: "1 hour")
        let off = try before.reopened(AudienceSite.yaml(Self.heads + "\nenabled: false"))
        try off.lead("bob@a.example", title: "Head", consents: [])
        try off.foreign("UPDATE leads SET title = 'Clerk' WHERE id = 1")
        try off.pump()
        #expect(try off.members("heads") == ["1"])
        off.clock.advance(by: "1 hour")
        let on = try off.reopened(AudienceSite.yaml(Self.heads + "\nresume: now"))
        on.clock.advance(by: "1 minute")
        try on.lead("cleo@a.example", title: "Head", consents: [])
        try on.pump()
        #expect(try on.members("heads") == ["2", "3"])
    }
}
