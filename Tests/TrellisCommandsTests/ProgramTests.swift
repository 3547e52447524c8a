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

    @Test func `check reads the pages that a site has put in the place of others`() throws {
        let trellis = try starter()
        try trellis.write("{{#offers}}\n", to: "templates/offers.mustache")
        let check = try trellis.run("check")
        #expect(
            check.code == 78 && check.errors.contains("templates/offers.mustache:2:1: a section is never closed."),
            "\(check.errors)")
    }

    @Test func `global options may stand in front of the command`() throws {
        let trellis = try starter()
        #expect(try trellis.run("work", "--until-idle").code == 0)
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
        (["sql", "BEGIN"], 64, "Only reading is allowed without --write."),
        (["sql", "SELECT * FROM leds"], 65, "Did you mean 'leads'?"),
        (["sql", "hot-leds"], 64, "Did you mean 'hot-leads'?"),
        (["trace", "nobody@acme.example"], 65, "There is no lead 'nobody@acme.example'."),
        (["capture", "--email", "no-address"], 65, "@"),
        (["record", "1", "demo.bokked"], 65, "Did you mean 'demo.booked'?"),
        (["handoff", "accept", "99"], 65, "trellis handoff list"),
        (["handoff", "acept"], 64, "USAGE"),
        (["import", "nothing.csv"], 66, "There is no file nothing.csv."),
        (["status", "--config", "other.yaml"], 66, "trellis init"),
        (["frobnicate"], 64, "There is no command 'frobnicate'. 'trellis help' lists them all."),
        (["imprt"], 64, "There is no command 'imprt'. Did you mean 'import'?"),
        (["handof"], 64, "Did you mean 'handoff'?"),
        (["spend"], 64, "'spend' takes another word:\nUSAGE:\n  spend add"),
        (["spend", "ad"], 64, "There is no command 'spend ad'. Did you mean 'spend add'?"),
        (["tasks", "dne", "1"], 64, "Unexpected 'dne'. Did you mean 'done'?"),
        (["scoring", "--format", "cvs"], 64, "There is no format 'cvs'."),
        (["simulate", "--for", "1d", "--rates", "nofile"], 66, "There is no file nofile."),
        (["simulate", "--for", "1d", "--with", "nofile"], 66, "There is no file nofile."),
        (["plan", "nofile"], 66, "There is no file nofile."),
        (["scoring", "diff", "--with", "nofile"], 66, "There is no file nofile."),
        (["capture", "--email", "a@b.example", "--channel", "offlin"], 65, "Did you mean 'offline'?"),
        (["import", "leads.csv", "--set", "channel=offlin"], 65, "Did you mean 'offline'?"),
        (["convert", "1", "--currency", "euro"], 65, "currency: expected a code such as EUR"),
        (["mail-in", "--file", "nofile"], 66, "There is no file nofile."),
        (["mail-in", "--mbox", "nofile"], 66, "There is no file nofile."),
        (["import", "leads.csv", "--mapping", "nofile"], 66, "There is no file nofile."),
        (["report", "monthly", "--html", "nowhere/report.html"], 73, "The folder nowhere does not exist."),
        (["outbox", "retry", "999"], 65, "There is no message 999."),
        (["outbox", "resolve", "999", "--accept"], 65, "There is no message 999."),
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
        let ready = Pipe()
        let first = try ChildProgram(
            TrellisProcess.path, ["work"], in: trellis.folder, ProcessInfo.processInfo.environment,
            errors: ready.fileHandleForWriting)
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

    @Test func `a database that is not there is not made, but by what takes something in`() throws {
        let trellis = try starter()
        let before = try FileManager.default.contentsOfDirectory(atPath: trellis.folder)
        for (options, name) in [(["--database", "typo.sqlite"], "typo.sqlite"), ([] as [String], "crm.sqlite")] {
            for words in [["status"], ["doctor"], ["handoff"], ["magnets"], ["report"], ["sql", "SELECT 1"]] {
                let outcome = try trellis.run(TrellisProcess.path, words + options)
                let says = outcome.errors.contains("There is no database ") && outcome.errors.contains("\(name) yet.")
                #expect(
                    outcome.code == 66 && says && outcome.errors.contains("'trellis import'"), "\(words) \(outcome)")
            }
        }
        let after = try FileManager.default.contentsOfDirectory(atPath: trellis.folder)
        #expect(Set(after) == Set(before))
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
        try (text.replacing("points: 20}", with: "points: 60}") + "\nlimits: {moves_per_change: 0}\n").write(
            toFile: config, atomically: true, encoding: .utf8)
        let refused = try trellis.run("plugins", "rebuild", "scoring")
        #expect(refused.code == 65 && refused.errors.contains("Nothing was done. --confirm does it all the same."))
        #expect(try trellis.run("plugins", "rebuild", "scoring", "--confirm").output.contains("Replayed"))
    }

    @Test func `what is printed as JSON is one document`() throws {
        let trellis = try starter()
        #expect(try trellis.run("import", "leads.csv").code == 0)
        #expect(try trellis.run("work", "--until-idle").code == 0)
        for words in [
            ["report"], ["report", "weekly"], ["report", "weekly", "--sql"], ["check"], ["config", "diff"],
            ["sequences", "plan"], ["status"],
        ] {
            let output = try trellis.run(TrellisProcess.path, words + ["--json"]).output
            #expect(throws: Never.self, "\(words): \(output)") {
                try JSONSerialization.jsonObject(with: Data(output.utf8), options: .fragmentsAllowed)
            }
        }
        let status = try trellis.run("status", "--json").output
        let json = try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any]
        let figures = try #require(json?["figures"] as? [String: Any])
        #expect(figures["leads"] as? Int == 50 && figures["config_id"] as? Int == 1)
        #expect(figures["is_config_in_force"] as? Bool == true && figures["worker_pid"] is NSNull)
        try trellis.write("site: {naem: x}\n", to: "wrong.yaml")
        let wrong = try trellis.run("check", "--config", "wrong.yaml", "--json")
        #expect(wrong.code == 78)
        let found = try JSONSerialization.jsonObject(with: Data(wrong.output.utf8)) as? [String: Any]
        let problem = try #require((found?["problems"] as? [[String: Any]])?.first)
        #expect(
            found?["is_sound"] as? Bool == false && problem["line"] as? Int == 1
                && problem["file"] as? String == "wrong.yaml")
    }

    @Test func `the next steps of a starter can be pasted as they stand`() throws {
        let trellis = try TrellisProcess()
        let output = try trellis.run("init", "my-crm").output
        #expect(
            output.hasPrefix(
                "A starter CRM is in my-crm. Next:\n  cd my-crm\n  trellis check\n  trellis import leads.csv\n"))
        #expect(output.ranges(of: "cd my-crm").count == 1)
    }

    @Test func `a command of a plugin explains itself with the options of all`() throws {
        let trellis = try starter()
        let help = try trellis.run("tasks", "done", "--help").output
        #expect(help.contains("tasks done TASK") && help.contains("--json") && help.contains("--config FILE"))
        #expect(!help.contains("What is to be done, the most urgent first."))
        #expect(try trellis.run("tasks", "--help").output.contains("tasks done TASK"))
        let all = try trellis.run("help").output
        let commands = try #require(all.ranges(of: "PLUGIN COMMANDS:\n").first)
        let lines = all[commands.upperBound...].prefix { _ in true }.split(
            separator: "\n", omittingEmptySubsequences: false
        )
        .prefix { !$0.isEmpty }
        #expect(lines.count > 20 && lines.allSatisfy { $0.hasPrefix("  ") && $0.count < 80 }, "\(lines)")
        #expect(try trellis.run("trace", "--help").output.contains("enrolment:ID, task:ID"))
    }

    @Test func `a trace says whom it is about, and in which time`() throws {
        let trellis = try starter()
        #expect(
            try trellis.run("capture", "--email", "ann@acme.example", "first_name=Ann", "last_name=Ash", "company=Acme")
                .code == 0)
        let trace = try trellis.run("trace", "ann@acme.example").output
        #expect(trace.hasPrefix("Lead 1: Ann Ash, Acme, ann@acme.example, "), "\(trace)")
        #expect(trace.prefix { $0 != "\n" }.hasSuffix("(times are UTC)"))
    }

    @Test func `an address that another process has is named before anything is served`() throws {
        let trellis = try starter()
        let taken = try #require(TakenPort())
        let config = try String(contentsOfFile: trellis.folder + "/config.yaml", encoding: .utf8)
        try trellis.write(
            config.replacing("127.0.0.1:8080", with: "127.0.0.1:\(taken.port)").replacing(
                "127.0.0.1:8081", with: "127.0.0.1:0"), to: "taken.yaml")
        let outcome = try trellis.run("serve", "--config", "taken.yaml")
        #expect(outcome.code == 75, "\(outcome.errors)")
        #expect(
            outcome.errors.contains(
                "Another process already listens on 127.0.0.1:\(taken.port). Stop it, or set another port in server.listen."
            ))
        #expect(!outcome.errors.contains("Serving "))
    }

    /// A port of the loopback that somebody listens on.
    private final class TakenPort {
        let port: UInt16
        private let descriptor: Int32

        init?() {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) == 0 && listen(descriptor, 1) == 0
                        && getsockname(descriptor, $0, &size) == 0
                }
            }
            (self.descriptor, port) = (descriptor, UInt16(bigEndian: address.sin_port))
            guard isBound else { return nil }
        }

        deinit { close(descriptor) }
    }
}
