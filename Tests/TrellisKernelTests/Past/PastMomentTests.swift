import Foundation
import Testing
import TrellisKernel

@Suite struct PastMomentTests {
    private let berlin = LocalTime(named: "Europe/Berlin") ?? LocalTime(.gmt)
    private let now = Timestamp.date("2026-05-10 12:00:00") ?? .distantPast

    private func stamp(_ text: String) throws -> String { try PastMoment(text, in: berlin, now: now).stamp }

    @Test(arguments: [
        ("2026-05-01", "2026-04-30 22:00:00.000"), ("2026-03-29", "2026-03-28 23:00:00.000"),
        ("2026-05-01 14:30", "2026-05-01 12:30:00.000"), ("2026-05-01T14:30:05", "2026-05-01 12:30:05.000"),
        ("2026-05-01 14:30:05.250", "2026-05-01 12:30:05.250"), ("2026-05-01 14:30Z", "2026-05-01 14:30:00.000"),
        ("2026-05-01T14:30:00+05:30", "2026-05-01 09:00:00.000"), ("now", "2026-05-10 12:00:00.000"),
        ("today", "2026-05-09 22:00:00.000"), ("yesterday", "2026-05-08 22:00:00.000"),
        ("Yesterday 18:00", "2026-05-09 16:00:00.000"), ("7 days ago", "2026-05-03 12:00:00.000"),
        ("1 week 2 days ago", "2026-05-01 12:00:00.000"), ("90m ago", "2026-05-10 10:30:00.000"),
    ])
    func `a moment is read as people write it`(_ text: String, expected: String) throws {
        #expect(try stamp(text) == expected)
    }

    @Test func `an hour that a day lacks is the first instant after the gap`() throws {
        #expect(try stamp("2026-03-29 02:30") == "2026-03-29 01:00:00.000")
    }

    @Test(arguments: [
        "", "soon", "ago", "days ago", "yesterday 25:00", "2026-02-30", "2026-05-01x", "2026-05-01 14",
        "2026-13-01 10:00",
        "01.05.2026", "-3 days ago", "2026-05-01 14:30 Mars", "today today", "\u{0}", "７ days ago",
    ])
    func `what is no moment is refused with what is one`(_ text: String) {
        #expect {
            try stamp(text)
        } throws: {
            "\($0)"
                == "'\(text)' is no moment. Give a day (2026-05-01), a time (2026-05-01 14:30, with Z or +02:00 where it is not one of Europe/Berlin), yesterday, or 7 days ago."
        }
    }

    @Test func `the future is refused`() {
        #expect {
            try stamp("2026-05-11")
        } throws: {
            "\($0)"
                == "2026-05-11 is still to come: it is 2026-05-10 14:00:00 Europe/Berlin now. What will be, no log can tell."
        }
    }

    @Test func `now in a statement is the moment, and in a text or a name it is not`() throws {
        let moment = try PastMoment("2026-05-01 14:30", in: berlin, now: now)
        #expect(
            moment.spelled(
                "SELECT date('now', '-7 days'), 'it is ''now''', \"'now'\" -- 'now'\n, CURRENT_TIMESTAMP, current_date")
                == "SELECT date('2026-05-01 12:30:00.000', '-7 days'), 'it is ''now''', \"'now'\" -- 'now'\n, '2026-05-01 12:30:00', '2026-05-01'"
        )
        #expect(moment.spelled("SELECT 'now") == "SELECT 'now")
    }
}
