import Testing

@testable import AudienceExport

@Suite struct ClockTextTests {
    @Test(arguments: [
        ("at > datetime('now', '-1 day')", "at > datetime(:now, '-1 day')"),
        ("strftime('%s', 'NOW')", "strftime('%s', :now)"), ("unixepoch( 'now' )", "unixepoch( :now )"),
        ("state = 'now'", "state = 'now'"), ("lower('now')", "lower('now')"),
        ("datetime(coalesce(x, 'now'))", "datetime(coalesce(x, 'now'))"),
        ("x = 'datetime(''now'')'", "x = 'datetime(''now'')'"), ("1 -- date('now')", "1 -- date('now')"),
        ("1 /* date('now') */", "1 /* date('now') */"), ("\"date\" ('now')", "\"date\" ('now')"),
        ("at > :now", "at > :now"), ("[date](x)", "[date](x)"), ("'open", "'open"),
    ])
    func `the word now becomes the moment where a function of time reads it`(_ written: String, _ expected: String) {
        let text = ClockText(written)
        #expect(text.sql == expected)
        #expect(text.usesNow == expected.contains(":now"))
        #expect(text.strangers == [])
    }

    @Test func `parameters that nobody fills are found`() {
        #expect(
            ClockText("a = :country AND b = ? AND c = ?2 AND d = @x AND e = ':no' AND f = :now").strangers == [
                ":country", "?", "?2", "@x",
            ])
    }
}
