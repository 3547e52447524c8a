import Foundation
import Testing

@Suite struct ReportCommandTests {
    private let trellis: TrellisProcess

    init() throws {
        trellis = try TrellisProcess()
        for words in [["init"], ["import", "leads.csv"], ["work", "--until-idle"]] {
            #expect(try trellis.run(TrellisProcess.path, words).code == 0)
        }
        let month = "strftime('%Y-%m', 'now', 'start of month', '-1 day')"
        #expect(
            try trellis.run("sql", "--write", "UPDATE leads SET created_at = \(month) || '-15 09:00:00.000'").code == 0)
        #expect(try trellis.run("plugins", "rebuild", "figures").code == 0)
    }

    @Test func `a month is printed, with its SQL where asked`() throws {
        let plain = try trellis.run("report", "monthly")
        #expect(plain.code == 0 && plain.output.contains("The figures") && plain.output.contains("New leads"))
        #expect(!plain.output.contains("SELECT"))
        let withSQL = try trellis.run("report", "monthly", "--sql")
        #expect(withSQL.output.contains("FROM figures_days"))
        #expect(try trellis.run("report", "weekly").output.hasPrefix("The week: the week of "))
    }

    @Test func `another period can be asked for, and what is none is said`() throws {
        #expect(
            try trellis.run("report", "monthly", "--month", "2017-03").output.hasPrefix(
                "The month: March 2017, against February 2017"))
        #expect(
            try trellis.run("report", "weekly", "--week", "2017-03-08").output.hasPrefix(
                "The week: the week of 6 March 2017, against the week of 27 February 2017"))
        #expect(try trellis.run("report", "monthly", "--so-far").output.contains(" so far, against "))
        for (words, sentence) in [
            (["monthly", "--month", "2017-13"], "'2017-13' is no month. Write it so: --month 2026-03"),
            (["weekly", "--week", "6 March"], "'6 March' is no day. Write it so: --week 2026-03-02"),
            (["monthly", "--month", "2999-01"], "2999-01 has not begun yet."),
            (["weekly", "--month", "2017-03"], "--month belongs to the monthly report"),
            (["monthly", "--week", "2017-03-06"], "--week belongs to the weekly report"),
            (["--so-far"], "--so-far is the period that runs"),
        ] {
            let outcome = try trellis.run(TrellisProcess.path, ["report"] + words)
            #expect(outcome.code != 0 && outcome.errors.contains(sentence), "\(words): \(outcome.errors)")
        }
    }

    @Test func `a page holds no script, asks nobody for anything, and escapes what visitors wrote`() throws {
        let evil = "<script>alert(1)</script>"
        #expect(
            try trellis.run(
                "sql", "--write",
                "INSERT INTO spend (day, channel, amount) SELECT date('now', 'start of month', '-1 day'), '\(evil)', 5"
            ).code == 0)
        let wrote = try trellis.run("report", "monthly", "--html", "month.html")
        #expect(wrote.code == 0 && wrote.output.hasPrefix("Wrote month.html: The month: "))
        let page = try String(contentsOfFile: trellis.folder + "/month.html", encoding: .utf8)
        #expect(
            page.hasPrefix("<!doctype html>") && page.contains("<svg viewBox")
                && page.contains("&lt;script&gt;alert(1)"))
        #expect(!page.contains("<script"))
        #expect(page.matches(of: /(?:src|href)=|url\(|@import/).isEmpty)
        #expect(page.contains("prefers-color-scheme: dark") && page.contains("@media print"))
    }

    @Test func `what cannot be is said`() throws {
        #expect(try trellis.run("report", "--html", "a.html").errors.contains("--html and --sql belong to a period"))
        #expect(try trellis.run("report", "yearly").code == 64)
        let nowhere = try trellis.run("report", "monthly", "--html", "nowhere/month.html")
        #expect(nowhere.code == 73 && nowhere.errors.contains("The folder nowhere does not exist."))
    }

    @Test func `spend is imported as a platform downloads it, and once`() throws {
        try trellis.write(
            "Day,Campaign,Currency code,Cost\n2026-03-01,Brand,EUR,12.50\nTotal: Account, --,EUR,12.50\n", to: "ads.csv"
        )
        let first = try trellis.run("import", "ads.csv", "--into", "spend")
        #expect(first.output.contains("1 new, 0 changed, 0 as they were, 0 rejected."))
        #expect(first.output.contains("1 row of totals was left out."))
        #expect(try trellis.run("import", "ads.csv", "--into", "spend").output.contains("was imported before"))
        #expect(
            try trellis.run("import", "ads.csv", "--into", "spend", "--again").output.contains(
                "0 new, 0 changed, 1 as they were"))
        #expect(try trellis.run("spend", "list").output.contains("paid_search"))
    }
}
