import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MailPaceTests {
    private static let files = ["mails/hello.md": "---\nsubject: Hello\npurpose: marketing\n---\nHello.\n"]

    /// - Parameter yaml: of `mail:`, without its braces.
    private func crm(_ yaml: String, _ addresses: [String]) throws -> TestKernel {
        let crm = try TestKernel(files: Self.files)
        let config = """
            site: {name: Acme, base_url: "https://crm.acme.example", postal_address: "1 Main Street", secret: "${TRELLIS_SECRET}", timezone: Europe/Berlin}
            mail: {from: "Acme <hello@acme.example>", consent: none, \(yaml)}
            """
        try crm.kernel.close()
        let kernel = try Kernel(
            config: try Config.parse(
                config, folder: crm.folder, plugins: [], environment: TestKernel.environment), plugins: [],
            clock: crm.clock.clock)
        try kernel.write(origin: "plugin:test") { tx in
            for address in addresses {
                try tx.db.execute(sql: "INSERT INTO leads (email) VALUES (?)", arguments: [address])
            }
            try tx.send(
                .marketing,
                forEach: """
                    SELECT 'k' || id AS key, id AS lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id FROM leads
                    """)
        }
        self.kernel.kernel = kernel
        return crm
    }

    private final class Box { var kernel: Kernel? }
    private let kernel = Box()

    private func run(_ crm: TestKernel) async throws -> [String] {
        let kernel = try #require(kernel.kernel)
        let before = crm.transport.sent.count
        try await Courier(kernel, transport: crm.transport).runUntilIdle()
        return crm.transport.sent.dropFirst(before).map { $0.recipient.lowercased() }
    }

    @Test func `a domain gets its mail one by one, others are not held up, and each goes once`() async throws {
        let crm = try crm(
            "pace: {gmail.example: 1 per minute}",
            (1...4).map { "g\($0)@Gmail.example" } + (1...3).map { "o\($0)@other.example" })
        #expect(
            try await run(crm).sorted() == [
                "g1@gmail.example", "o1@other.example", "o2@other.example", "o3@other.example",
            ])
        for number in 2...4 {
            crm.clock.advance(by: "59s")
            #expect(try await run(crm) == [])
            crm.clock.advance(by: "1s")
            #expect(try await run(crm) == ["g\(number)@gmail.example"])
        }
        crm.clock.advance(by: "1 day")
        #expect(try await run(crm) == [])
        let kernel = try #require(kernel.kernel)
        #expect(try kernel.read { try Int.fetchAll($0, sql: "SELECT DISTINCT attempts FROM outbox_messages") } == [1])
    }

    @Test func `the pace of all other domains has a name`() async throws {
        let crm = try crm("pace: {default: 2 per hour}", ["a@one.example", "b@one.example", "c@two.example"])
        #expect(try await run(crm).sorted() == ["a@one.example", "c@two.example"])
        crm.clock.advance(by: "30m")
        #expect(try await run(crm) == ["b@one.example"])
    }

    @Test func `a receiver that says too much comes gets half as much`() async throws {
        let crm = try crm("pace: {default: 1 per minute}", (1...5).map { "a\($0)@one.example" })
        crm.transport.answer { _ in .slower(because: "421 4.7.28 too many") }
        #expect(try await run(crm) == ["a1@one.example"])
        crm.transport.answer { _ in .sent }
        let kernel = try #require(kernel.kernel)
        #expect(try kernel.read { try Double.fetchAll($0, sql: "SELECT share FROM mail_domains") } == [0.5])
        // Those behind it had their turns already; who comes now waits twice as long.
        try kernel.write(origin: "plugin:test") { tx in
            for number in 6...8 {
                try tx.db.execute(sql: "INSERT INTO leads (email) VALUES (?)", arguments: ["a\(number)@one.example"])
            }
            try tx.send(
                .marketing,
                forEach: """
                    SELECT 'k' || id AS key, id AS lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id
                    FROM leads WHERE id > 5
                    """)
        }
        _ = try await run(crm)
        let turns = try kernel.read {
            try String.fetchAll($0, sql: "SELECT slot_at FROM outbox_messages WHERE lead_id > 5 ORDER BY id")
        }
        #expect(turns == ["2026-03-02 09:05:00.000", "2026-03-02 09:07:00.000", "2026-03-02 09:09:00.000"])
    }

    private func shares() throws -> [String] {
        try #require(kernel.kernel).read {
            try String.fetchAll($0, sql: "SELECT domain || ' ' || round(share, 6) FROM mail_domains")
        }
    }

    @Test func `a receiver that says too much comes gets less without a pace too, until it takes all again`()
        async throws
    {
        let crm = try crm("templates: mails", (1...3).map { "g\($0)@Gmail.example" } + ["o1@other.example"])
        crm.transport.answer { $0.recipient.hasPrefix("g") ? .slower(because: "421 4.7.28 too many") : .sent }
        // They are under way together: the answer to the three is one.
        #expect(
            try await run(crm).sorted() == [
                "g1@gmail.example", "g2@gmail.example", "g3@gmail.example", "o1@other.example",
            ])
        #expect(try shares() == ["gmail.example 0.5"])
        crm.transport.answer { _ in .sent }
        crm.clock.advance(by: "2m")
        #expect(try await run(crm).count == 1)
        crm.clock.advance(by: "1s")
        #expect(try await run(crm) == [])
        for _ in 2...3 {
            #expect(try await run(crm) == [])
            crm.clock.advance(by: "2s")
            #expect(try await run(crm).count == 1)
        }
        #expect(try shares() == ["gmail.example 0.503006"])
        let kernel = try #require(kernel.kernel)
        try kernel.write(origin: "plugin:test") { tx in
            try tx.db.execute(sql: "UPDATE mail_domains SET share = 1")
            try tx.send(
                .marketing,
                forEach: """
                    SELECT 'again ' || id AS key, id AS lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id
                    FROM leads
                    """)
        }
        #expect(try await run(crm).count == 4)
    }

    @Test func `mail to the house has no pace`() async throws {
        let crm = try crm("pace: {default: 1 per minute}", ["a@one.example"])
        try #require(kernel.kernel).write(origin: "plugin:test") { tx in
            try tx.send(
                .internal,
                forEach: """
                    SELECT 'to ' || value AS key, 1 AS lead_id, 'rep@acme.example' AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id
                    FROM json_each('[1, 2]')
                    """)
        }
        #expect(try await run(crm).sorted() == ["a@one.example", "rep@acme.example", "rep@acme.example"])
        #expect(try shares() == ["one.example 1.0"])
    }

    @Test func `a new sender mails few on the first day and more on each`() async throws {
        let crm = try crm("warm_up: {first: 2, factor: 2, until: 8}", (1...20).map { "a\($0)@one.example" })
        var counts = [try await run(crm).count]
        crm.clock.advance(by: "1 hour")
        counts.append(try await run(crm).count)
        // Nobody is mailed at midnight who was to be mailed at nine.
        for time in ["2026-03-03 08:59:59", "2026-03-03 09:00:00", "2026-03-04 09:00:00", "2026-03-05 09:00:00"] {
            crm.clock.set(time)
            counts.append(try await run(crm).count)
        }
        #expect(counts == [2, 0, 0, 4, 14, 0])
    }

    @Test func `a warm-up doubles until there is no limit`() {
        var warmUp = SiteSettings.WarmUp()
        #expect((0...9).map { warmUp.most(onDay: $0) } == [50, 100, 200, 400, 800, 1600, 3200, 6400, nil, nil])
        warmUp.factor = 1
        #expect(warmUp.most(onDay: 100_000) == 50)
    }

    @Test func `once the day's measure is reached, the rest is put off in parts that do not hold others up`()
        async throws
    {
        let count = MailPace.putOffMax + 150
        let crm = try crm("warm_up: {first: 1, factor: 2, until: 8}", (1...count).map { "a\($0)@one.example" })
        let kernel = try #require(kernel.kernel)
        let courier = Courier(kernel, transport: crm.transport)
        let waits = { () -> Int in
            try kernel.read { db in
                try Int.fetchOne(db, sql: "SELECT count(*) FROM outbox_messages WHERE reason = 'the sender warms up'")
                    ?? 0
            }
        }
        // The first claim sends one and puts off the others of its hundred.
        #expect(try await courier.round() == 1)
        #expect(try waits() == Claim.messagesMax - 1)
        #expect(try await courier.round() == 0)
        #expect(try waits() == Claim.messagesMax - 1 + MailPace.putOffMax)
        while try await courier.round() != nil {}
        #expect(try waits() == count - 1)
    }
}
