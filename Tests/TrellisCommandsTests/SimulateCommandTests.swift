import Foundation
import Testing

@Suite struct SimulateCommandTests {
    private let trellis: TrellisProcess

    init() throws {
        trellis = try TrellisProcess()
        for words in [
            ["init"], ["import", "leads.csv"], ["import", "activities.csv", "--into", "activities"],
            ["work", "--until-idle"],
        ] {
            #expect(try trellis.run(TrellisProcess.path, words).code == 0)
        }
    }

    private func bytes(_ file: String) throws -> Data {
        try Data(contentsOf: URL(filePath: trellis.folder + "/" + file))
    }

    @Test func `what would happen is printed, and nothing of it happens`() throws {
        let before = try bytes("crm.sqlite")
        let outcome = try trellis.run("simulate", "--for", "14d", "--leads-per-day", "3")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output.hasPrefix("14d from "))
        #expect(outcome.output.contains("New leads: 42, 3 a day (given)."))
        for title in ["Leads by stage", "Mails a day", "Sequences", "Handoffs by rep", "What was assumed of people"] {
            #expect(outcome.output.contains("\n\(title)\n"), "\(title)")
        }
        #expect(try bytes("crm.sqlite") == before)
        #expect(try trellis.run("sql", "SELECT count(*) AS leads FROM leads").output.contains("50"))
    }

    @Test func `two configs are put side by side, as text, JSON and a page`() throws {
        let config = try String(contentsOfFile: trellis.folder + "/config.yaml", encoding: .utf8)
        let other = config.replacing("wait: 14 days", with: "wait: 5 days")
        #expect(other != config)
        try trellis.write(other, to: "other.yaml")
        let outcome = try trellis.run(
            "simulate", "--for", "10d", "--leads-per-day", "2", "--with", "other.yaml", "--html", "both.html")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("under config.yaml → other.yaml"))
        #expect(outcome.output.contains(" → ") && outcome.output.hasSuffix("Wrote both.html.\n"))
        let page = try String(decoding: bytes("both.html"), as: UTF8.self)
        #expect(page.hasPrefix("<!doctype html>") && page.contains("<svg viewBox") && page.contains("other.yaml"))
        #expect(!page.contains("<script") && page.matches(of: /(?:src|href)=|url\(|@import/).isEmpty)
        #expect(page.contains("prefers-color-scheme: dark"))
        let json = try trellis.run(
            "simulate", "--for", "10d", "--leads-per-day", "2", "--with", "other.yaml", "--json")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(object["configs"] as? [String] == ["config.yaml", "other.yaml"])
        let stages = try #require((object["tables"] as? [String: Any])?["Leads by stage"] as? [[String: Any]])
        #expect(stages.first?["at_end_other"] != nil)
    }

    @Test func `the copy can be kept and asked`() throws {
        let outcome = try trellis.run("simulate", "--for", "5d", "--keep", "later.sqlite", "--still")
        #expect(outcome.code == 0 && outcome.output.contains("Kept later.sqlite."), "\(outcome.errors)")
        #expect(outcome.output.contains("Nobody did anything and no lead came"))
        // The welcome to those who were imported comes an hour later, or on the next day of work: within five days.
        let rows = try trellis.run(
            "sql", "--database", "later.sqlite", "--format", "csv",
            "SELECT count(*) > 0 AS is_later FROM events WHERE at > datetime('now', '+30 minutes')")
        #expect(rows.code == 0 && rows.output == "is_later\n1\n", "\(rows)")
        let again = try trellis.run("simulate", "--for", "5d", "--keep", "later.sqlite")
        #expect(again.code == 64 && again.errors.contains("later.sqlite is there already."))
    }

    @Test func `what cannot be is said`() throws {
        let soon = try trellis.run("simulate", "--for", "soon")
        #expect(soon.code == 64)
        #expect(soon.errors.contains("--for: expected a time of at most 366 days, such as 30d or 4 weeks, got 'soon'."))
        #expect(try trellis.run("simulate", "--for", "400d").code == 64)
        #expect(try trellis.run("simulate").errors.contains("--for"))
        #expect(try trellis.run("simulate", "--for", "1d", "--step", "x").errors.contains("--step: expected a time"))
        #expect(try trellis.run("simulate", "--for", "1d", "--still", "--leads-per-day", "3").code == 64)
        try trellis.write("site: {nam: Acme}\n", to: "broken.yaml")
        let broken = try trellis.run("simulate", "--for", "1d", "--with", "broken.yaml")
        #expect(broken.code == 78 && broken.errors.contains("broken.yaml:1:8: site: unknown key 'nam'."))
        let missing = try trellis.run("simulate", "--for", "1d", "--with", "nowhere.yaml")
        #expect(missing.code == 66 && missing.errors.contains("There is no file nowhere.yaml."))
        try trellis.write("rates: {mail.klicked: {rate: 0.1}}\n", to: "rates.yaml")
        let rates = try trellis.run("simulate", "--for", "1d", "--rates", "rates.yaml")
        #expect(rates.code == 78 && rates.errors.contains("nobody does 'mail.klicked'. Did you mean 'mail.clicked'?"))
    }

    @Test func `without a file there is nothing to copy`() throws {
        let empty = try TrellisProcess()
        #expect(try empty.run("init").code == 0)
        let outcome = try empty.run("simulate", "--for", "1d")
        #expect(outcome.code == 66 && outcome.errors.contains("There is no database"))
    }
}
