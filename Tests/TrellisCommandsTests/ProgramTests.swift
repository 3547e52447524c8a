import Foundation
import Testing

@Suite struct ProgramTests {
    private func starter() throws -> TrellisProcess {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0)
        return trellis
    }

    @Test func `a newcomer goes from init to a report without a word of complaint`() throws {
        let trellis = try starter()
        #expect(try trellis.run("check").output.contains("config.yaml is sound."))
        #expect(try trellis.run("import", "leads.csv").output.contains("50 new, 1 changed, 0 as they were, 1 rejected"))
        #expect(try trellis.run("import", "activities.csv", "--into", "activities").code == 0)
        #expect(try trellis.run("work", "--until-idle").code == 0)
        let report = try trellis.run("report")
        for title in ["Leads by stage", "Top ten by score", "Handoffs", "Audiences", "Mails"] {
            #expect(report.output.contains(title))
        }
        #expect(report.errors == "")
        #expect(try trellis.run("status").code == 0)
        #expect(try trellis.run("doctor", "--strict").code == 0)
        let sql = try trellis.run("sql", "--format", "csv", "hot-leads", "--country", "DE")
        #expect(sql.output.hasPrefix("id,first_name,company"))
    }

    @Test func `global options may stand in front of the command`() throws {
        let trellis = try starter()
        #expect(try trellis.run("--json", "--config", "config.yaml", "status").output.hasPrefix("{"))
        #expect(try trellis.run("--database=crm.sqlite", "scoring", "--json").output.hasPrefix("["))
        #expect(
            try trellis.run("--database", "elsewhere.sqlite", "sql", "SELECT 1").errors.contains("elsewhere.sqlite"))
        #expect(try trellis.run("--config", "nowhere.yaml", "status").code == 66)
    }

    @Test func `a captured lead keeps the road it came on, and its first one for good`() throws {
        let trellis = try starter()
        let page =
            "https://bloomcount.example/calendar?utm_source=linkedin&utm_medium=paid&utm_campaign=spring&li_fat_id=L1"
        #expect(try trellis.run("capture", "--email", "ann@acme.example", "--landing-page", page).code == 0)
        let second = try trellis.run("capture", "--email", "ann@acme.example", "--referrer", "https://www.google.de/")
        #expect(second.code == 0)
        let sql =
            "SELECT t.channel, t.source, t.click_id_kind, l.source, l.campaign FROM touches AS t JOIN leads AS l ON l.id = t.lead_id"
        #expect(
            try trellis.run("sql", "--format", "csv", sql).output.split(whereSeparator: \.isNewline).dropFirst().map(
                String.init) == [
                    "paid_social,linkedin,li_fat_id,linkedin,spring", "organic_search,google.de,,linkedin,spring",
                ])
        let wrong = try trellis.run("capture", "--email", "ann@acme.example", "--referrer", "somewhere")
        #expect(wrong.code == 64 && wrong.errors.contains("'somewhere' is no address of a page"))
    }

    @Test func `init writes over nothing`() throws {
        let trellis = try starter()
        let again = try trellis.run("init")
        #expect(again.code == 64)
        #expect(again.errors.contains("Nothing was written; name another folder."))
    }

    @Test func `a config full of mistakes is told all of them with their places, and exit code 78`() throws {
        let trellis = try TrellisProcess()
        try trellis.write(
            """
            site:
              name: Acme
              timezone: Europe/Berlni
              base_ur: https://acme.example
            mail: {transport: pigeon}
            leads:
              stages: [lead, mql]
              fields:
                budget: {type: reel}
            activities:
              demo.booked: {at: time}
            plugins:
              scoring:
                fit:
                  head: {when: "titel LIKE '%Head%'", points: 20}
                  far: {when: "country = 'NZ'", points: many}
                engagement:
                  demo: {on: demo.bokked, points: 50, half_life: soon}
              drip:
                sequences:
                  welcome:
                    enter: {on: lead.created}
                    steps:
                      - wait: 1 hour
                        mail: welcome
              scorign: {}
            """, to: "config.yaml")
        let outcome = try trellis.run("check")
        #expect(outcome.code == 78)
        for expected in [
            "config.yaml:3:13: site.timezone: expected an IANA time zone such as Europe/Berlin, got 'Europe/Berlni'.",
            "config.yaml:4:3: site: unknown key 'base_ur'. Did you mean 'base_url'?",
            "config.yaml:5:19: mail.transport: expected one of file, smtp, got 'pigeon'.",
            "config.yaml:9:20: leads.fields.budget.type: expected one of text, integer, real, date, time, boolean, got 'reel'.",
            "config.yaml:16:45: plugins.scoring.fit.far.points: expected a whole number from -1000 to 1000, got 'many'.",
            "config.yaml:18:54: plugins.scoring.engagement.demo.half_life: expected a duration such as 90m, 4 hours or 3 days, got 'soon'.",
            "config.yaml:24:13: plugins.drip.sequences.welcome.steps.1: a step is one of wait, wait_until, wait_for, mail, task, webhook, if, test, set, enter or exit; this one has 2 of them.",
            "config.yaml:15:20: plugins.scoring.fit.head.when: SQL: no such column: titel. Did you mean 'title'?",
            "config.yaml:18:18: plugins.scoring.engagement.demo.on: there is no event 'demo.bokked'. Did you mean 'demo.booked'?",
            "11 problems in the configuration. Nothing was changed.",
            "config.yaml:26:3: plugins: unknown plugin 'scorign'. Did you mean 'scoring'?",
        ] { #expect(outcome.errors.contains(expected), "\(outcome.errors)") }
    }

    @Test func `SQL that does not fit the schema is found before anything runs`() throws {
        let trellis = try TrellisProcess()
        try trellis.write(
            """
            plugins:
              scoring:
                fit:
                  head: {when: "titel LIKE '%Head%'", points: 20}
                engagement:
                  demo: {on: demo.bokked, points: 50}
                thresholds: {mqll: {score: 10}}
            activities:
              demo.booked: {at: time}
            """, to: "config.yaml")
        let outcome = try trellis.run("check")
        #expect(outcome.code == 78)
        for expected in [
            "config.yaml:4:20: plugins.scoring.fit.head.when: SQL: no such column: titel. Did you mean 'title'?",
            "config.yaml:6:18: plugins.scoring.engagement.demo.on: there is no event 'demo.bokked'. Did you mean 'demo.booked'?",
            "there is no stage 'mqll'. Did you mean 'mql'?",
        ] { #expect(outcome.errors.contains(expected), "\(outcome.errors)") }
    }

    @Test(arguments: [
        (["sql", "DELETE FROM leads"], 64 as Int32, "without --write"),
        (["sql", "SELECT * FROM leds"], 65, "Did you mean 'leads'?"),
        (["sql", "hot-leds"], 64, "Did you mean 'hot-leads'?"),
        (["trace", "nobody@acme.example"], 65, "There is no lead 'nobody@acme.example'."),
        (["capture", "--email", "no-address"], 65, "@"),
        (["record", "1", "demo.bokked"], 65, "Did you mean 'demo.booked'?"),
        (["handoff", "accept", "99"], 65, "trellis handoff list"),
        (["handoff", "acept"], 64, "USAGE"),
        (["import", "nothing.csv"], 65, "There is no file nothing.csv."),
        (["status", "--config", "other.yaml"], 66, "trellis init"),
        (["frobnicate"], 64, "frobnicate"),
    ])
    func `what cannot be done says what to do, with the exit code of sysexits`(
        arguments: [String], code: Int32, words: String
    ) throws {
        let trellis = try starter()
        #expect(try trellis.run("import", "leads.csv").code == 0)
        let outcome = try trellis.run(TrellisProcess.path, arguments)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.code == code)
    }

    @Test func `a second worker is told who the first is`() throws {
        let trellis = try starter()
        #expect(try trellis.run("import", "leads.csv").code == 0)
        let first = Process()
        first.executableURL = URL(filePath: TrellisProcess.path)
        first.arguments = ["work"]
        first.currentDirectoryURL = URL(filePath: trellis.folder)
        let ready = Pipe()
        first.standardError = ready
        try first.run()
        defer { first.terminate() }
        _ = ready.fileHandleForReading.availableData
        let second = try trellis.run("work", "--until-idle")
        #expect(second.code == 75)
        #expect(second.errors.contains("Another worker (pid \(first.processIdentifier)) already runs this database."))
        first.terminate()
        first.waitUntilExit()
        #expect(first.terminationStatus == 0)
        #expect(try trellis.run("status").output.contains("unclean stops    0"))
    }

    @Test func `killed at random moments, it loses nothing and does nothing twice`() throws {
        let trellis = try TrellisProcess()
        let outcome = try trellis.run(
            "/bin/bash", [TrellisProcess.root + "/Tests/CrashLab/crash-lab.sh", TrellisProcess.path],
            environment: ["ROUNDS": "6", "LEADS": "600", "SEED": "3"])
        #expect(outcome.output.contains("1 passed, 0 failed"), "\(outcome.output) \(outcome.errors)")
    }

    @Test func `a database that is named and not there is not made, but by what takes something in`() throws {
        let trellis = try starter()
        for command in ["status", "doctor", "handoff", "magnets"] {
            let outcome = try trellis.run(command, "--database", "typo.sqlite")
            #expect(outcome.code == 66 && outcome.errors.contains("There is no database"), "\(command)")
        }
        #expect(!FileManager.default.fileExists(atPath: trellis.folder + "/typo.sqlite"))
        #expect(try trellis.run("capture", "--email", "ann@acme.example", "--database", "new.sqlite").code == 0)
        #expect(try trellis.run("status", "--database", "new.sqlite").code == 0)
    }

    @Test func `a consent that is neither yes nor no takes none away`() throws {
        let trellis = try starter()
        #expect(try trellis.run("capture", "--email", "ann@acme.example", "consent_newsletter=y").code == 0)
        let wrong = try trellis.run("capture", "--email", "ann@acme.example", "consent_newsletter=ja")
        #expect(wrong.code == 65 && wrong.errors.contains("consent_newsletter: expected yes or no"))
        let states = try trellis.run("sql", "--format", "csv", "SELECT state FROM consents").output
        #expect(states.split(whereSeparator: \.isNewline).map(String.init) == ["state", "granted"])
    }

    @Test func `to make a plugin anew is held to the limits`() throws {
        let trellis = try starter()
        #expect(try trellis.run("import", "leads.csv").code == 0)
        #expect(try trellis.run("work", "--until-idle").code == 0)
        let config = trellis.folder + "/config.yaml"
        let text = try String(contentsOfFile: config, encoding: .utf8)
        try (text.replacing("points: ", with: "points: 9") + "\nlimits: {moves_per_change: 1}\n").write(
            toFile: config, atomically: true, encoding: .utf8)
        let refused = try trellis.run("plugins", "rebuild", "scoring")
        #expect(refused.code == 65 && refused.errors.contains("Nothing was done. --confirm does it all the same."))
        #expect(try trellis.run("plugins", "rebuild", "scoring", "--confirm").output.contains("Replayed"))
    }
}
