import Testing
import TrellisKernel
import TrellisTesting

@Suite struct EventHookTests {
    static let activities = "activities: {demo.booked: {at: time}, price.seen: {page: text, seconds: integer}}\n"

    @Test func `a statement over the batch runs once per event, with its own cursor`() throws {
        let crm = try TestKernel(
            """
            hooks:
              german-leads-to-dach:
                on: lead.created
                sql: UPDATE leads SET owner = 'dach' WHERE country = 'DE' AND id IN (SELECT lead_id FROM batch)
            """)
        let german = try crm.capture(["email": "a@acme.example", "country": "DE"])
        let french = try crm.capture(["email": "b@acme.example", "country": "FR"])
        try crm.pump()
        #expect(try crm.rows("SELECT id, owner FROM leads ORDER BY id") == ["\(german)|dach", "\(french)|"])
        #expect(
            try crm.rows("SELECT last_event_id > 0 FROM subscribers WHERE id = 'hooks/german-leads-to-dach'") == ["1"])
        let change = try crm.rows("SELECT kind, origin, cause_id FROM events WHERE lead_id = \(german) AND id > 1")
        #expect(change == ["lead.updated|hook:german-leads-to-dach|1"])
    }

    @Test func `a value that takes all memory is parked, and the others go on`() throws {
        let crm = try TestKernel(
            """
            hooks:
              bomb: {on: lead.created, sql: "UPDATE leads SET city = length(replace(printf('%.*c', 9000000, 'x'), 'x', 'xxxxxxxxxx'))"}
              after: {on: lead.created, sql: UPDATE leads SET owner = 'ann'}
            """)
        try crm.capture(["email": "a@acme.example"])
        try crm.pump()
        #expect(try crm.rows("SELECT owner, city FROM leads") == ["ann|"])
        #expect(try crm.rows("SELECT subscriber, error FROM parked_events").first?.hasPrefix("hooks/bomb|") == true)
        #expect(try crm.rows("SELECT error LIKE '%too big%' FROM parked_events") == ["1"])
        // What the kernel itself writes is not held to it.
        let length = try crm.kernel.write(origin: "cli") { tx in
            try Int.fetchOne(tx.db, sql: "SELECT length(zeroblob(20000000))")
        }
        #expect(length == 20_000_000)
    }

    @Test func `several statements run in their order, and :now is the moment of the transaction`() throws {
        let crm = try TestKernel(
            """
            migrations: Migrations
            hooks:
              note:
                on: lead.created
                sql: |
                  -- a semicolon; in a comment ends nothing
                  INSERT INTO notes (lead_id, text, at) SELECT lead_id, 'first; of two', :now FROM batch;
                  UPDATE notes SET text = text || '!';
            """, files: ["Migrations/0001_notes.sql": "CREATE TABLE notes (lead_id INTEGER, text TEXT, at TEXT) STRICT"]
        )
        try crm.capture(["email": "a@acme.example"])
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, text, at FROM notes") == ["1|first; of two!|2026-03-02 09:00:00.000"])
    }

    @Test func `a condition keeps other events out of the batch, and the next subscriber still gets them`() throws {
        let crm = try TestKernel(
            EventHookTests.activities + """
                migrations: Migrations
                hooks:
                  long:
                    on: price.seen
                    when: seconds >= 30 AND country = 'DE'
                    sql: INSERT INTO notes (lead_id, text) SELECT lead_id, 'long ' || page FROM batch_price_seen
                  all:
                    on: price.seen
                    sql: INSERT INTO notes (lead_id, text) SELECT lead_id, 'any ' || page FROM batch_price_seen
                """, files: ["Migrations/0001_notes.sql": "CREATE TABLE notes (lead_id INTEGER, text TEXT) STRICT"])
        let german = try crm.capture(["email": "a@acme.example", "country": "DE"])
        let french = try crm.capture(["email": "b@acme.example", "country": "FR"])
        for (lead, seconds) in [(german, "40"), (german, "10"), (french, "50")] {
            try crm.kernel.write(origin: "test") { tx in
                _ = try tx.record("price.seen", lead: lead, fields: [("page", "p\(seconds)"), ("seconds", seconds)])
            }
        }
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, text FROM notes WHERE text LIKE 'long%'") == ["\(german)|long p40"])
        #expect(try crm.rows("SELECT count(*) FROM notes WHERE text LIKE 'any%'") == ["3"])
    }

    @Test func `rows of a SELECT become activities, each caused by its event`() throws {
        let crm = try TestKernel(
            EventHookTests.activities + """
                hooks:
                  visitor:
                    on: lead.created
                    emit: {kind: price.seen, sql: "SELECT lead_id, 'pricing' AS page, NULL AS seconds FROM batch"}
                  later:
                    on: lead.created
                    emit: {kind: demo.booked, sql: "SELECT lead_id, datetime(:now, '+1 day') AS due_at FROM batch"}
                """)
        let lead = try crm.capture(["email": "a@acme.example"])
        try crm.pump()
        #expect(
            try crm.rows("SELECT lead_id, body, cause_id, depth, origin FROM events WHERE kind = 'price.seen'")
                == ["\(lead)|{\"page\":\"pricing\"}|1|1|hook:visitor"])
        #expect(try crm.rows("SELECT count(*) FROM events WHERE kind = 'demo.booked'") == ["0"])
        #expect(
            try crm.rows("SELECT key, due_at FROM scheduled_events") == [
                "hook:later:1:1:2026-03-03 09:00:00.000|2026-03-03 09:00:00.000"
            ])
        crm.clock.advance(by: "2 days")
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, cause_id FROM events WHERE kind = 'demo.booked'") == ["\(lead)|1"])
    }

    @Test func `an emitted value that is not of its field's type parks its event, and a number becomes a text`() throws
    {
        let crm = try TestKernel(
            EventHookTests.activities + """
                hooks:
                  bad:
                    on: lead.created
                    emit: {kind: price.seen, sql: "SELECT lead_id, 7 AS page, iif(lead_id = 2, 'abc', '5') AS seconds FROM batch"}
                """)
        for name in ["a", "b", "c"] { try crm.capture(["email": "\(name)@acme.example"]) }
        try crm.pump()
        #expect(
            try crm.rows("SELECT lead_id, body FROM events WHERE kind = 'price.seen' ORDER BY lead_id")
                == [#"1|{"page":"7","seconds":5}"#, #"3|{"page":"7","seconds":5}"#])
        #expect(
            try crm.rows("SELECT subscriber, event_id, error FROM parked_events")
                == ["hooks/bad|2|hooks.bad: emit: seconds: expected a whole number, got 'abc'"])
    }

    @Test(arguments: [
        ("SELECT lead_id, 'soon' AS due_at FROM batch", "due_at: expected a time such as 2026-01-31 14:00, got 'soon'"),
        ("SELECT lead_id, NULL AS due_at FROM batch", "due_at: expected a time such as 2026-01-31 14:00, got 'NULL'"),
        ("SELECT lead_id, 999999 AS event_id FROM batch", "event_id: there is no event 999999"),
    ])
    func `a moment that is none and a cause that is not there park the event`(sql: String, sentence: String) throws {
        let crm = try TestKernel(
            EventHookTests.activities + "hooks: {bad: {on: lead.created, emit: {kind: demo.booked, sql: \"\(sql)\"}}}")
        try crm.capture(["email": "a@acme.example"])
        try crm.pump()
        #expect(try crm.rows("SELECT error FROM parked_events") == ["hooks.bad: emit: \(sentence)"])
        #expect(try crm.rows("SELECT kind FROM scheduled_events") == [])
        #expect(try crm.events() == ["lead.created"])
    }

    @Test func `a row may name its cause, or none`() throws {
        let crm = try TestKernel(
            EventHookTests.activities + """
                hooks:
                  seen: {on: lead.created, emit: {kind: price.seen, sql: "SELECT lead_id, id AS event_id FROM batch"}}
                  told: {on: lead.created, emit: {kind: demo.booked, sql: "SELECT lead_id, NULL AS event_id FROM batch"}}
                """)
        try crm.capture(["email": "a@acme.example"])
        try crm.pump()
        #expect(
            try crm.rows("SELECT kind, cause_id FROM events WHERE id > 1 ORDER BY kind") == [
                "demo.booked|", "price.seen|1",
            ])
    }

    @Test func `rows of a SELECT become mails, once per event, with their columns as values`() async throws {
        let crm = try TestKernel(
            """
            webhooks: {chat: {url: "https://chat.acme.example/in", secret: "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}}
            hooks:
              hello:
                on: lead.created
                send: {mail: hello, sql: "SELECT lead_id, upper(first_name) AS loud FROM batch JOIN leads ON leads.id = lead_id"}
              desk:
                on: lead.created
                send: {mail: hello, to: desk@acme.example, sql: "SELECT lead_id, 'x' AS loud FROM batch"}
              chat:
                on: lead.created
                send: {webhook: chat, type: lead.arrived, sql: "SELECT lead_id, 5 AS number FROM batch"}
            """,
            files: ["mails/hello.md": "---\nsubject: Hello {{loud}}\npurpose: transactional\n---\nHello {{loud}}."])
        try crm.capture(["email": "a@acme.example", "first_name": "Ann"])
        try crm.pump()
        #expect(
            try crm.rows("SELECT key, transport, purpose, recipient, template, body FROM outbox_messages ORDER BY id")
                == [
                    #"hook:hello:1:1|mail|transactional||hello|{"loud":"ANN"}"#,
                    #"hook:desk:1:1|mail|internal|desk@acme.example|hello|{"loud":"x"}"#,
                    #"hook:chat:1:1|webhook|transactional|chat|lead.arrived|{"number":"5"}"#,
                ])
        try await crm.work()
        let texts = crm.transport.sent.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(texts.contains { $0.contains("Subject: Hello ANN") })
    }

    @Test func `a hook that fails parks its event, keeps nothing of it, and lets the others go on`() throws {
        let crm = try TestKernel(
            """
            hooks:
              broken:
                on: lead.created
                sql: |
                  UPDATE leads SET company = 'half done' WHERE id IN (SELECT lead_id FROM batch);
                  UPDATE leads SET email = 'same@acme.example' WHERE id IN (SELECT lead_id FROM batch WHERE lead_id > 1);
              fine:
                on: lead.created
                sql: UPDATE leads SET owner = 'ann' WHERE id IN (SELECT lead_id FROM batch)
            """)
        try crm.capture(["email": "same@acme.example"])
        try crm.capture(["email": "b@acme.example"])
        try crm.capture(["email": "c@acme.example"])
        try crm.pump()
        #expect(try crm.rows("SELECT company, owner FROM leads ORDER BY id") == ["half done|ann", "|ann", "|ann"])
        #expect(
            try crm.rows("SELECT subscriber, event_id FROM parked_events ORDER BY event_id")
                == ["hooks/broken|2", "hooks/broken|3"])
    }

    @Test func `more rows than at_most for one event are taken back, and the event is set aside`() throws {
        let crm = try TestKernel(
            """
            hooks:
              greedy:
                on: lead.created
                at_most: 2
                sql: INSERT INTO touches (lead_id, at, kind) SELECT leads.id, at, 'greedy' FROM batch CROSS JOIN leads
            """)
        for name in ["a", "b", "c"] { try crm.capture(["email": "\(name)@acme.example"]) }
        try crm.pump()
        #expect(
            try crm.rows("SELECT count(*) FROM parked_events WHERE error LIKE '%at_most is 2 for one event%'") == ["3"])
        #expect(try crm.rows("SELECT count(*) FROM touches WHERE kind = 'greedy'") == ["0"])
    }

    @Test func `a loop of hooks is stopped and shown with its chain`() throws {
        let crm = try TestKernel(
            """
            hooks:
              up: {on: lead.updated, sql: "UPDATE leads SET employees = employees + 1 WHERE id IN (SELECT lead_id FROM batch)"}
            """)
        let lead = try crm.capture(["email": "a@acme.example", "employees": "1"])
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(sql: "UPDATE leads SET employees = 2 WHERE id = ?", arguments: [lead])
        }
        try crm.pump()
        #expect(try crm.rows("SELECT max(depth) <= 16 FROM events") == ["1"])
        let error = try crm.rows("SELECT error FROM parked_events").first ?? ""
        #expect(error.contains("hooks/up") || error.contains("lead.updated"))
    }

    @Test func `a new hook begins with the next event, or with the first where it says so`() throws {
        let crm = try TestKernel("")
        try crm.capture(["email": "old@acme.example"])
        let later = try crm.reopened(
            """
            hooks:
              next: {on: lead.created, sql: "UPDATE leads SET company = 'next' WHERE id IN (SELECT lead_id FROM batch)"}
              first: {on: lead.created, from: first, sql: "UPDATE leads SET owner = 'first' WHERE id IN (SELECT lead_id FROM batch)"}
            """)
        try later.capture(["email": "new@acme.example"])
        try later.pump()
        #expect(try later.rows("SELECT company, owner FROM leads ORDER BY id") == ["|first", "next|first"])
    }

    @Test func `switched off it does nothing, and goes on from there when it is on again`() throws {
        let hook = "sql: \"UPDATE leads SET owner = 'x' WHERE id IN (SELECT lead_id FROM batch)\""
        let crm = try TestKernel("hooks: {mark: {on: lead.created, \(hook)}}")
        let off = try crm.reopened("hooks: {mark: {on: lead.created, enabled: false, \(hook)}}")
        try off.capture(["email": "a@acme.example"])
        try off.pump()
        #expect(try off.rows("SELECT owner FROM leads") == [""])
        let on = try off.reopened("hooks: {mark: {on: lead.created, \(hook)}}")
        try on.pump()
        #expect(try on.rows("SELECT owner FROM leads") == ["x"])
    }
}
