import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct NoShowTests {
    /// - Parameter webinar: the settings of the webinar, which ends an hour after it begins.
    private static func yaml(_ webinar: String) -> String {
        """
        plugins:
          lead_magnets:
            magnets:
              course: {title: The course, kind: webinar, url: "https://meet.acme.example/1", webinar: {\(webinar)}}
        """
    }

    private static let may4 = #"starts_at: "2026-05-04 16:00", no_show_after: 3 hours"#

    private static let may4Due =
        #"2026-05-04 20:00:00.000|{"webinar":"course","ends_at":"2026-05-04 17:00:00.000"}"#
    private static let june1 = #"starts_at: "2026-06-01 16:00", no_show_after: 3 hours"#

    private func crm(_ webinar: String = NoShowTests.may4) throws -> TestKernel {
        let crm = try TestKernel(NoShowTests.yaml(webinar), plugins: [LeadMagnets.self])
        try begin(crm)
        return crm
    }

    /// As a worker does when it starts.
    private func begin(_ crm: TestKernel) throws {
        try crm.kernel.write(origin: "plugin:lead_magnets") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
    }

    private func appointments(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT due_at, body FROM scheduled_events WHERE kind = 'magnets.no_show_due' ORDER BY due_at")
    }

    private func missed(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id, at, origin FROM events WHERE kind = 'webinar.missed' ORDER BY id")
    }

    private func register(_ crm: TestKernel, _ names: String...) throws {
        for name in names { try crm.capture(["email": "\(name)@a.example"], form: "course") }
        try crm.pump()
    }

    @Test func `an appointment of another program that names no webinar of the site is let go`() throws {
        let crm = try crm()
        try register(crm, "ann")
        try crm.foreign(
            """
            INSERT INTO events (kind, origin, at, body) VALUES
                ('magnets.no_show_due', 'sql', '2026-03-02 09:00:00.000', '{"webinar": 7, "ends_at": 8}'),
                ('magnets.no_show_due', 'sql', '2026-03-02 09:00:00.000', '{"ends_at": "2026-03-02 09:00:00.000"}')
            """)
        try crm.pump()
        #expect(try missed(crm) == [])
        #expect(try crm.rows("SELECT subscriber, error FROM parked_events") == [])
    }

    // MARK: - Recorded

    @Test func `attendance at a webinar whose name is misspelt is refused`() throws {
        let crm = try crm()
        try register(crm, "ann", "bob")
        for kind in ["webinar.attended", "webinar.missed"] {
            let problem = try #require(throws: FieldProblem.self) {
                try crm.record(kind, lead: 1, ["webinar": "cousre"])
            }
            #expect(problem.description == "webinar: no such name. Did you mean 'course'? There are: course.")
        }
        #expect(try crm.rows("SELECT * FROM events WHERE kind GLOB 'webinar.[am]*'") == [])
        // Another edition, one of another house, and one that the lead signed up for before it was called otherwise.
        try crm.foreign(
            """
            INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('webinar.registered', 1, 'sql', '2025-01-01 00:00:00.000', '{"webinar":"courses"}')
            """)
        for name in ["course2", "fair", "courses", "course", "bourne"] {
            try crm.record("webinar.attended", lead: 1, ["webinar": name])
        }
        // What the log has of somebody else.
        try crm.record("webinar.attended", lead: 2, ["webinar": "courses"])
        #expect(throws: FieldProblem.self) { try crm.record("webinar.attended", lead: 2, ["webinar": "coursed"]) }
        #expect(
            try crm.rows("SELECT body ->> 'webinar' FROM events WHERE kind = 'webinar.attended' ORDER BY id") == [
                "course2", "fair", "courses", "course", "bourne", "courses",
            ])
    }

    // MARK: - Checked

    @Test(arguments: [
        ("2999-05-04 16:00", "3 hours", [] as [String]),
        (
            "2999-05-04 16:00", "0",
            [
                "everybody who registered has missed it the moment it ends, for nobody is known to have attended yet. Leave time enough for your import: 3 hours"
            ]
        ),
        (
            "2999-05-04 16:00", "90 days",
            [
                "who did not come is told so 90 days after the end, when few remember it. Write some hours or days: 3 hours"
            ]
        ),
        (
            "2020-05-04 16:00", "3 hours",
            [
                "this moment was 2020-05-04 20:00 UTC. Written or changed after it, it counts nobody: run 'trellis magnets close-webinar course', or move starts_at on to the next edition"
            ]
        ),
    ])
    func `check says what of it is hardly meant`(_ start: String, _ after: String, _ notes: [String]) throws {
        let webinar = #"starts_at: "\#(start)", no_show_after: \#(after)"#
        let config = try TestKernel(NoShowTests.yaml(webinar), plugins: [LeadMagnets.self]).kernel.config
        let found = try config.check(plugins: [LeadMagnets.self]).map(\.description)
        #expect(found.count == notes.count)
        for (note, sentence) in zip(found, notes) {
            #expect(note.hasSuffix(".course.webinar.no_show_after: \(sentence)"), "\(note)")
        }
    }

    @Test(arguments: [("2026-05-04 19:59:59", 0), ("2026-05-04 20:00:00", 1)])
    func `check asks the clock it is given whether the moment has passed`(_ now: String, _ count: Int) throws {
        let crm = try crm()
        let notes = try crm.kernel.config.check(plugins: [LeadMagnets.self], clock: StoppedClock(at: now).clock)
        #expect(notes.filter { $0.message.hasPrefix("this moment was 2026-05-04 20:00 UTC.") }.count == count)
    }

    // MARK: - Missed

    @Test func `who registered and did not come has missed it some time after the end, once`() throws {
        let crm = try crm()
        try register(crm, "ann", "bob", "cem")
        try begin(crm)
        #expect(try appointments(crm) == [NoShowTests.may4Due])
        crm.clock.set("2026-05-04 17:30:00")
        try crm.record("webinar.attended", lead: 2, ["webinar": "course", "minutes": "55"])
        crm.clock.set("2026-05-04 19:59:59")
        try crm.pump()
        #expect(try missed(crm) == [])
        crm.clock.set("2026-05-04 20:00:00")
        try crm.pump()
        let both = ["1|2026-05-04 20:00:00.000|plugin:lead_magnets", "3|2026-05-04 20:00:00.000|plugin:lead_magnets"]
        #expect(try missed(crm) == both)
        #expect(
            try crm.rows("SELECT DISTINCT body, cause_kind FROM lead_trace WHERE kind = 'webinar.missed'") == [
                #"{"webinar":"course"}|webinar.registered"#
            ])
        try begin(crm)
        #expect(try appointments(crm) == [])
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try missed(crm) == both)
        #expect(try crm.run("magnets close-webinar", "course") == ["0 leads missed it."])
        #expect(try crm.troubles() == [])
    }

    @Test func `attendance that comes later counts`() throws {
        let crm = try crm()
        try register(crm, "ann", "bob")
        crm.clock.set("2026-05-05 09:00:00")
        try crm.pump()
        let attendance =
            "SELECT webinar, lead_id, registered_at, state, minutes FROM magnets_attendance ORDER BY lead_id"
        #expect(
            try crm.rows(attendance) == [
                "course|1|2026-03-02 09:00:00.000|missed|", "course|2|2026-03-02 09:00:00.000|missed|",
            ])
        try crm.record("webinar.attended", lead: 1, ["webinar": "course", "minutes": "20"])
        #expect(
            try crm.rows(attendance) == [
                "course|1|2026-03-02 09:00:00.000|attended|20", "course|2|2026-03-02 09:00:00.000|missed|",
            ])
    }

    @Test func `nobody misses it by itself without the setting, nor where it is written too late`() throws {
        let crm = try crm(#"starts_at: "2026-05-04 16:00""#)
        try register(crm, "ann")
        #expect(try appointments(crm) == [])
        crm.clock.set("2026-05-04 20:00:00")
        let later = try crm.reopened(NoShowTests.yaml(NoShowTests.may4))
        try begin(later)
        #expect(try appointments(later) == [])
        crm.clock.advance(by: "1 day")
        try later.pump()
        #expect(try missed(later) == [])
        withExtendedLifetime(crm) {}
    }

    @Test func `a webinar that is put off is missed later`() throws {
        let crm = try crm()
        try register(crm, "ann")
        let later = try crm.reopened(NoShowTests.yaml(#"starts_at: "2026-05-05 16:00", no_show_after: 3 hours"#))
        try begin(later)
        #expect(try appointments(later).map { $0.prefix(10) } == ["2026-05-05"])
        later.clock.set("2026-05-05 19:59:59")
        try later.pump()
        #expect(try missed(later) == [])
        later.clock.set("2026-05-05 20:00:00")
        try later.pump()
        #expect(try missed(later) == ["1|2026-05-05 20:00:00.000|plugin:lead_magnets"])
        withExtendedLifetime(crm) {}
    }

    @Test func `who registers after the end wanted the recording`() throws {
        let crm = try crm(NoShowTests.may4 + #", recording: "https://acme.example/r""#)
        try register(crm, "ann")
        crm.clock.set("2026-05-04 17:00:00")
        try register(crm, "bob")
        crm.clock.set("2026-05-04 20:00:00")
        try crm.pump()
        #expect(try missed(crm) == ["1|2026-05-04 20:00:00.000|plugin:lead_magnets"])
    }

    @Test func `whose lead was merged into one who attended has missed nothing, and nor has who is gone`() throws {
        let crm = try crm()
        try register(crm, "ann", "bob", "cem")
        let other = try crm.capture(["email": "ann@b.example"])
        crm.clock.set("2026-05-04 18:00:00")
        try crm.record("webinar.attended", lead: other, ["webinar": "course", "minutes": "55"])
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: other) }
        try crm.foreign("DELETE FROM leads WHERE id = 3")
        crm.clock.set("2026-05-04 20:00:00")
        try crm.pump()
        #expect(try missed(crm) == ["2|2026-05-04 20:00:00.000|plugin:lead_magnets"])
        #expect(
            try crm.rows("SELECT lead_id, state FROM magnets_attendance WHERE lead_id <> 3 ORDER BY lead_id") == [
                "2|missed", "\(other)|attended",
            ])
    }

    // MARK: - Editions

    @Test func `each edition counts who registered for it`() throws {
        let crm = try crm()
        try register(crm, "ann", "bob", "cem")
        crm.clock.set("2026-05-04 17:30:00")
        try crm.record("webinar.attended", lead: 2, ["webinar": "course", "minutes": "55"])
        crm.clock.set("2026-05-04 20:00:00")
        try crm.pump()
        #expect(try missed(crm).map { $0.prefix(12) } == ["1|2026-05-04", "3|2026-05-04"])
        crm.clock.set("2026-05-06 09:00:00")
        let next = try crm.reopened(NoShowTests.yaml(NoShowTests.june1))
        try begin(next)
        try next.record("webinar.attended", lead: 3, ["webinar": "course", "minutes": "20"])
        next.clock.set("2026-05-20 09:00:00")
        try register(next, "bob", "cem", "dan", "eve")
        let ids = try ["dan", "eve"].map {
            try next.value("SELECT id FROM leads WHERE email = '\($0)@a.example'") ?? ""
        }
        next.clock.set("2026-06-01 17:30:00")
        try next.record(
            "webinar.attended", lead: try #require(Int64(ids[0])), ["webinar": "course", "minutes": "55"])
        next.clock.set("2026-06-01 20:00:00")
        try next.pump()
        // Ann did not register again. Bob and Cem were there the last time, and not this time.
        let second = ["2", "3", ids[1]].map { "\($0)|2026-06-01 20:00:00.000|plugin:lead_magnets" }
        #expect(try Array(missed(next).dropFirst(2)) == second)
        #expect(try next.run("magnets close-webinar", "course") == ["0 leads missed it."])
        #expect(try next.troubles() == [])
        withExtendedLifetime(crm) {}
    }

    @Test func `an edition that is over is closed also where the next one is announced before`() throws {
        let crm = try crm()
        try register(crm, "ann")
        crm.clock.set("2026-05-04 18:00:00")
        let next = try crm.reopened(NoShowTests.yaml(NoShowTests.june1))
        try begin(next)
        #expect(try appointments(next).map { $0.prefix(10) } == ["2026-05-04", "2026-06-01"])
        for moment in ["2026-05-04 20:00:00", "2026-06-01 20:00:00"] {
            next.clock.set(moment)
            try next.pump()
            #expect(try missed(next) == ["1|2026-05-04 20:00:00.000|plugin:lead_magnets"])
        }
        withExtendedLifetime(crm) {}
    }

    @Test func `a webinar that was put off twice was no edition`() throws {
        let crm = try crm()
        try register(crm, "ann")
        var last = crm
        for (today, day) in [("04", "05"), ("05", "06")] {
            crm.clock.set("2026-05-\(today) 09:00:00")
            let starts = #"starts_at: "2026-05-\#(day) 16:00", no_show_after: 3 hours"#
            last = try last.reopened(NoShowTests.yaml(starts))
            try begin(last)
            try last.pump()
        }
        crm.clock.set("2026-05-06 20:00:00")
        try last.pump()
        #expect(try missed(last) == ["1|2026-05-06 20:00:00.000|plugin:lead_magnets"])
        withExtendedLifetime(crm) {}
    }
}
