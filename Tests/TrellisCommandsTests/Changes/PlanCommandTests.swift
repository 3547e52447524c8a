import Foundation
import Testing

/// From a config that is in force to another and back, as a person does it.
@Suite struct PlanCommandTests {
    private func crm() throws -> TrellisProcess {
        let trellis = try TrellisProcess()
        _ = try trellis.run("init")
        _ = try trellis.run("import", "leads.csv")
        _ = try trellis.run("work", "--until-idle")
        return trellis
    }

    private func text(_ trellis: TrellisProcess) throws -> String {
        try String(contentsOfFile: trellis.folder + "/config.yaml", encoding: .utf8)
    }

    @Test func `a change is planned, held to its limits, put into force and taken back`() throws {
        let trellis = try crm()
        #expect(try trellis.run("plan").output == "This config is in force. Nothing would change.\n")
        let old = try text(trellis)
        let new = old.replacing("points: 20}", with: "points: 60}").replacing(
            "\ngoals:", with: "\nlimits: {mails_per_change: 1}\ngoals:")
        try trellis.write(new, to: "new.yaml")
        let plan = try trellis.run("plan", "new.yaml", "--rebuild", "scoring")
        #expect(plan.code == 0)
        for word in [
            "lead → mql", "gets a lead", "limits.mails_per_change is 1",
            "'trellis apply new.yaml --rebuild scoring --confirm'",
        ] {
            #expect(plan.output.contains(word))
        }
        #expect(try text(trellis) == old)
        let who = try trellis.run("plan", "new.yaml", "--rebuild", "scoring", "--who", "--who-most", "1").output
        #expect(who.contains(#/\nstage lead → mql, move: \d+ [^@ ]•••@\S+ and \d+ more\n/#), "\(who)")
        #expect(who.contains("\nscoring threshold mql, reach: "), "\(who)")
        #expect(try trellis.run("plan", "new.yaml", "--who", "--who-most", "0").code == 64)
        let refused = try trellis.run("apply", "new.yaml", "--rebuild", "scoring", "--yes")
        #expect(refused.code == 65 && refused.errors.contains("Nothing was changed. --confirm does it all the same."))
        #expect(try text(trellis) == old)
        #expect(try trellis.run("apply", "new.yaml").code == 64)
        let applied = try trellis.run(
            "apply", "new.yaml", "--rebuild", "scoring", "--confirm", "--author", "nora", "--note", "try harder")
        #expect(applied.code == 0 && applied.output.contains("It takes effect when 'trellis work'"))
        #expect(!applied.output.contains("In force"))
        #expect(try text(trellis) == new)
        #expect(try trellis.run("status").output.contains("config 2, in force since"))
        let again = try trellis.run("apply", "--rebuild", "scoring", "--yes")
        #expect(again.code == 64 && again.errors.contains("'trellis plugins rebuild scoring'"))
        _ = try trellis.run("work", "--until-idle")
        #expect(try trellis.run("doctor", "--strict").code == 0)
        let log = try trellis.run("config", "log").output
        #expect(log.contains("nora") && log.contains("try harder"))
        let difference = try trellis.run("config", "diff", "1", "2").output
        #expect(
            difference.contains("+limits: {mails_per_change: 1}") && difference.contains("--- config 1\n+++ config 2"))
        #expect(try trellis.run("config", "rollback", "--yes").code == 0)
        #expect(try text(trellis) == old)
        #expect(try trellis.run("config", "diff", "1", "3").output == "They are the same.\n")
    }

    @Test func `a config without limits is held to those in force`() throws {
        let trellis = try crm()
        let limited = try text(trellis).replacing("\ngoals:", with: "\nlimits: {mails_per_change: 1}\ngoals:")
        try trellis.write(limited, to: "limited.yaml")
        #expect(try trellis.run("apply", "limited.yaml", "--yes").code == 0)
        let free = limited.replacing("\nlimits: {mails_per_change: 1}", with: "").replacing(
            "points: 20}", with: "points: 60}")
        try trellis.write(free, to: "free.yaml")
        let refused = try trellis.run("apply", "free.yaml", "--rebuild", "scoring", "--yes")
        #expect(refused.code == 65 && refused.errors.contains("limits.mails_per_change is 1"), "\(refused.errors)")
    }

    @Test func `a config that was cut off is refused with its place, until somebody says that it is meant`() throws {
        let trellis = try crm()
        let whole = try text(trellis)
        let end = try #require(whole.range(of: "\nplugins:")).lowerBound
        try trellis.write(whole[..<end] + "\n", to: "config.yaml")
        for refused in [
            try trellis.run("work", "--until-idle"), try trellis.run("status"), try trellis.run("import", "leads.csv"),
        ] {
            #expect(refused.code == 78, "\(refused.code) \(refused.errors)")
            let place = try #require(refused.errors.firstMatch(of: /config\.yaml:(\d+):(\d+): the file ends here/))
            #expect(place.2 == "1" && refused.errors.contains("lines are missing"), "\(refused.errors)")
        }
        #expect(try trellis.run("apply", "--yes").code == 0)
        #expect(try trellis.run("work", "--until-idle").code == 0)
    }

    /// Asks for the status, which takes a moment, until something is so.
    private func wait(_ trellis: TrellisProcess, until isSo: (String) -> Bool) throws -> Bool {
        for _ in 0..<200 where try isSo(trellis.run("status").output) { return true }
        return false
    }

    @Test func `a worker begins anew with what is put into force, and goes on where a config is wrong`() throws {
        let trellis = try crm()
        let worker = try trellis.start("work")
        defer { worker.process.terminate() }
        #expect(try wait(trellis) { $0.contains("running, pid \(worker.process.processIdentifier)") })
        try trellis.write(try text(trellis).replacing("mql_per_month: 8", with: "mql_per_month: 9"), to: "new.yaml")
        let applied = try trellis.run("apply", "new.yaml", "--yes").output
        #expect(applied.contains("(pid \(worker.process.processIdentifier)) reads it again now. 'trellis config log'"))
        #expect(try wait(trellis) { _ in worker.errors.contains("Reading config.yaml again.") })
        #expect(try wait(trellis) { _ in worker.errors.split(separator: "Working on").count == 2 })
        try trellis.write(try text(trellis) + "\nlimts: {}\n", to: "config.yaml")
        kill(worker.process.processIdentifier, SIGHUP)
        try trellis.write(try String(contentsOfFile: trellis.folder + "/new.yaml", encoding: .utf8), to: "sound.yaml")
        for _ in 0..<200 where !worker.errors.contains("Nothing was read again") {
            _ = try trellis.run("check", "--config", "sound.yaml")
        }
        #expect(worker.errors.contains("the config before it goes on"))
        #expect(worker.process.isRunning)
        worker.process.terminate()
        worker.process.waitUntilExit()
        #expect(worker.process.terminationStatus == 0 && worker.errors.hasSuffix("Stopped.\n"))
    }

    @Test func `a file that is edited under a worker is told of, and does not come into force by being saved`() throws {
        let trellis = try crm()
        let old = try text(trellis)
        let worker = try trellis.start("work")
        defer { worker.process.terminate() }
        #expect(try wait(trellis) { $0.contains("running, pid \(worker.process.processIdentifier)") })
        try trellis.write(old.replacing("mql_per_month: 8", with: "mql_per_month: 9"), to: "config.yaml")
        #expect(try wait(trellis) { _ in worker.errors.contains("config.yaml has changed and is not in force") })
        #expect(try trellis.run("status").output.contains("not the one in force (config 1,"))
        try trellis.write(old + "\nlimts: {}\n", to: "config.yaml")
        try trellis.write(old, to: "sound.yaml")
        for _ in 0..<200 where !worker.errors.contains("has changed and is wrong") {
            _ = try trellis.run("check", "--config", "sound.yaml")
        }
        #expect(worker.errors.contains("unknown key 'limts'"), "\(worker.errors)")
        try trellis.write(old.replacing("mql_per_month: 8", with: "mql_per_month: 9"), to: "config.yaml")
        #expect(try trellis.run("apply", "--yes").code == 0)
        #expect(try wait(trellis) { _ in worker.errors.contains("Reading config.yaml again.") })
        #expect(worker.errors.split(separator: "has changed and is wrong").count == 2, "\(worker.errors)")
    }

    @Test func `a config that is wrong is neither planned nor put into force`() throws {
        let trellis = try crm()
        try trellis.write(try text(trellis) + "\nlimts: {}\n", to: "new.yaml")
        for command in ["plan", "apply"] {
            let outcome = try trellis.run(command, "new.yaml")
            #expect(outcome.code == 78 && outcome.errors.contains("limits"))
        }
        // A process could not begin with it, though every word is right.
        let unsigned = try text(trellis).replacing(
            "\nmail:\n", with: "\nmail:\n  dkim: {domain: a.example, selector: s, key: nokey.pem}\n")
        try trellis.write(unsigned, to: "unsigned.yaml")
        for words in [
            ["plan", "unsigned.yaml"], ["apply", "unsigned.yaml", "--yes"], ["check", "--config", "unsigned.yaml"],
        ] {
            let outcome = try trellis.run(TrellisProcess.path, words)
            #expect(outcome.code == 78 && outcome.errors.contains("no file nokey.pem"), "\(outcome)")
        }
        #expect(try trellis.run("config", "rollback").errors.contains("There is no config before this one"))
        #expect(try trellis.run("config", "diff", "1", "9").code == 64)
    }

    @Test func `an import that would write to more people than is allowed is stopped`() throws {
        let trellis = try crm()
        let config = try text(trellis).replacing("\ngoals:", with: "\nlimits: {moves_per_change: 0}\ngoals:")
        try trellis.write(config, to: "config.yaml")
        let lead = try trellis.run("sql", "--format", "csv", "SELECT email FROM leads WHERE stage = 'lead' LIMIT 1")
        let email = lead.output.split(separator: "\n").last.map(String.init) ?? ""
        try trellis.write("email,stage\n\(email),customer\n", to: "more.csv")
        let stopped = try trellis.run("import", "more.csv")
        #expect(
            stopped.code == 65 && stopped.errors.contains("Nothing was done. --confirm does it all the same."))
        let customers = "SELECT count(*) AS n FROM leads WHERE stage = 'customer'"
        #expect(try trellis.run("sql", "--format", "csv", customers).output == "n\n0\n")
        #expect(try trellis.run("import", "more.csv", "--confirm").code == 0)
        #expect(
            try trellis.run("sql", "--format", "csv", "SELECT stage FROM leads WHERE email = '\(email)'").output
                .contains("customer"))
    }
}
