import Testing
import TrellisKernel

@testable import TrellisCommands

@Suite struct StopLinesTests {
    private let stops = Table(
        columns: ["stop", "subject", "reason", "since"],
        rows: [
            [
                .text("mail held"), .text("k1"), .text("there is no mail 'news'; write mails/news.md"),
                .text("2026-03-02"),
            ],
            [.text("disk nearly full"), .text("crm.sqlite"), .text("9 MB are free"), .null],
        ])

    @Test func `a reason that a terminal has no room for is broken between words, not cut off`() {
        #expect(
            StopLines.text(of: stops, width: 30) == """
                mail held: k1, since 2026-03-02
                  there is no mail 'news';
                  write mails/news.md
                disk nearly full: crm.sqlite
                  9 MB are free
                """)
    }

    @Test func `it fits where the columns and the gaps between them do`() {
        // 16 + 10 + 44 + 10, and three gaps of two.
        #expect(StopLines.fit(stops, in: 86))
        #expect(!StopLines.fit(stops, in: 85))
    }
}
