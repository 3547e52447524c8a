import Foundation
import Synchronization
import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

/// A program that is told of audiences, when it can be reached.
private final class Receiver: Transport {
    let name = "webhook"
    let isIdempotent = true
    private let state = Mutex((bodies: [String](), isUp: true))

    var bodies: [String] { state.withLock { $0.bodies } }

    func goes(up: Bool) { state.withLock { $0.isUp = up } }

    func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async
        -> TrellisKernel.Delivery
    {
        do { try await handingOver() } catch { return .retry(because: "\(error)") }
        return state.withLock { state in
            guard state.isUp else { return .retry(because: "nobody answers") }
            state.bodies.append(String(decoding: message.bytes, as: UTF8.self))
            return .sent
        }
    }
}

@Suite struct PartTests {
    private let receiver = Receiver()

    private func crm(
        _ settings: String = "platforms: [linkedin], match: [email, name], minimum: 1", plugins: [any Plugin.Type] = [],
        further: String = ""
    ) throws -> TestKernel {
        let others = plugins.map { "  \($0.name): {}\n" }.joined()
        let crm = try TestKernel(
            """
            webhooks: {ads: {url: "https://hooks.acme.example/ads", secret: "${TRELLIS_ADMIN_TOKEN}"}}
            \(further)
            plugins:
            \(others)  audiences:
                all: {sql: SELECT id AS lead_id FROM leads, \(settings), export: {every: 1 day, to: ads, difference: true}}
            """, plugins: [AudienceExport.self] + plugins)
        for name in ["ann", "bob", "cleo"] {
            try crm.capture(
                ["email": "\(name)@a.example", "first_name": name, "last_name": "Example"], consents: ["ads"])
        }
        try crm.kernel.write(origin: "kernel") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
        try crm.pump()
        return crm
    }

    private func work(_ crm: TestKernel) async throws {
        let courier = Courier(crm.kernel, transport: receiver)
        repeat { try crm.pump() } while try await courier.runUntilIdle() > 0
        try crm.pump()
    }

    private func hash(_ name: String) -> String { Digest.hex("\(name)@a.example") }

    @Test func `the message says which part it is and holds nobody, before it is tried and after`() async throws {
        let crm = try crm()
        let about =
            "SELECT key, lead_id, content, json_extract(body, '$.part', '$.parts'), json_type(body, '$.rows') FROM outbox_messages"
        #expect(try crm.rows(about) == ["audiences:1:audience.add 1|||[1,1]|"])
        receiver.goes(up: false)
        try await work(crm)
        #expect(try crm.rows("SELECT state, attempts FROM outbox_messages") == ["waiting|1"])
        #expect(try crm.rows(about) == ["audiences:1:audience.add 1|||[1,1]|"])
        #expect(try crm.troubles() == [])
        let row = try crm.rows("SELECT first_lead, last_lead FROM audiences_parts")
        #expect(row == ["1|3"])
    }

    @Test func `who is erased, withdraws, is suppressed or leaves while the webhook is down is not sent`() async throws
    {
        let crm = try crm("platforms: [linkedin], match: [email, name], minimum: 1")
        for name in ["dan", "eve"] {
            try crm.capture(
                ["email": "\(name)@a.example", "first_name": name, "last_name": "Example"], consents: ["ads"])
        }
        crm.clock.advance(by: "1 day")
        receiver.goes(up: false)
        try await work(crm)
        _ = try Person(email: "ann@a.example").erase(crm.kernel)
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (2, 'ads', 'withdrawn')")
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('dan@a.example', 'unsubscribed')")
        receiver.goes(up: true)
        crm.clock.advance(by: "1 hour")
        try await work(crm)
        let sent = receiver.bodies.joined(separator: "\n")
        for name in ["ann", "bob", "dan"] {
            #expect(!sent.contains(hash(name)) && !sent.contains("\(name),"), "\(name) was sent")
        }
        #expect(sent.contains("\(hash("cleo")),cleo,Example"))
        #expect(sent.contains("\(hash("eve")),eve,Example"))
        #expect(
            try crm.rows("SELECT DISTINCT lead_id FROM audiences_left_out ORDER BY lead_id") == ["1", "2", "4"])
        #expect(try crm.troubles() == [])
    }

    @Test func `what was delivered is accepted at once, without those who were left out`() async throws {
        let crm = try crm()
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (2, 'ads', 'withdrawn')")
        try await work(crm)
        #expect(try crm.rows("SELECT id, accepted_at IS NOT NULL FROM audiences_exports") == ["1|1"])
        #expect(
            try crm.rows("SELECT lead_id, is_accepted FROM audiences_uploads ORDER BY lead_id") == [
                "1|1", "2|0", "3|1",
            ])
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'webhook.delivered'") == [
                #"{"webhook":"ads","type":"audience.add","message_id":1}"#
            ])
        // Who agrees again before the next file is in it.
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (2, 'ads', 'granted')")
        crm.clock.advance(by: "1 day")
        try await work(crm)
        #expect(receiver.bodies.count == 2)
        #expect(receiver.bodies.last?.contains("\(hash("bob")),bob") == true)
        #expect(receiver.bodies.last?.contains(hash("ann")) == false)
    }

    @Test func `numbers are numbers`() async throws {
        let crm = try crm()
        try await work(crm)
        let body = try #require(receiver.bodies.first)
        #expect(body.contains(#""export":1,"#) && body.contains(#""part":1,"#) && body.contains(#""parts":1,"#))
        #expect(body.contains(#""audience":"all""#))
    }

    @Test func `as many leads are in a part as the platform takes rows, and each is in one`() async throws {
        let crm = try crm()
        crm.clock.advance(by: "1 day")
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO leads (email) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 7000)
                    SELECT 'l' || n || '@a.example' FROM n;
                    INSERT INTO consents (lead_id, purpose, state) SELECT id, 'ads', 'granted' FROM leads WHERE id > 3;
                    """)
        }
        try await work(crm)
        #expect(
            try crm.rows("SELECT part, last_lead - first_lead FROM audiences_parts WHERE export_id = 2") == [
                "1|4999", "2|2002",
            ])
        let second = receiver.bodies.filter { $0.contains(#""export":2,"#) }
        let lines = second.flatMap { $0.components(separatedBy: "\\n") }.filter {
            $0.hasSuffix(",,,,,") || $0.hasSuffix("Example,,,,")
        }
        #expect(lines.count == 7003)
        #expect(Set(lines).count == 7003)
        #expect(try crm.troubles() == [])
    }

    @Test func `a filter is asked again when the part leaves`() async throws {
        let crm = try crm("platforms: [meta], minimum: 1", plugins: [Guard.self])
        try crm.foreign("UPDATE leads SET title = 'Rival' WHERE id = 2")
        try await work(crm)
        let body = try #require(receiver.bodies.first)
        #expect(body.contains(hash("ann")) && !body.contains(hash("bob")))
    }

    @Test func `whom a later file adds again an earlier part does not take off`() async throws {
        let crm = try crm()
        try await work(crm)
        receiver.goes(up: false)
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (2, 'ads', 'withdrawn')")
        crm.clock.advance(by: "1 day")
        try await work(crm)
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (2, 'ads', 'granted')")
        try crm.foreign("UPDATE audiences_uploads SET is_accepted = 0 WHERE lead_id = 2")
        crm.clock.advance(by: "1 day")
        receiver.goes(up: true)
        try await work(crm)
        let removals = receiver.bodies.filter { $0.contains("audience.remove") }
        #expect(removals.allSatisfy { !$0.contains(hash("bob")) })
        #expect(receiver.bodies.last { $0.contains("audience.add") }?.contains(hash("bob")) == true)
    }

    @Test func `a message of before, which had its rows, is refused, and its people come with the next file`()
        async throws
    {
        let crm = try crm()
        try crm.foreign("DELETE FROM audiences_parts")
        try await work(crm)
        #expect(receiver.bodies == [])
        #expect(
            try crm.rows("SELECT state, reason FROM outbox_messages") == [
                "cancelled|its rows were kept by an older program; the next file says all of it again"
            ])
        crm.clock.advance(by: "1 day")
        try await work(crm)
        #expect(receiver.bodies.first?.contains(hash("ann")) == true)
    }

    @Test func `companies stand in one part each, by the people who are left`() async throws {
        let crm = try crm("platforms: [linkedin_companies], minimum: 1")
        try crm.foreign("UPDATE leads SET company = iif(id < 3, 'Acme', 'Bolt')")
        crm.clock.advance(by: "1 day")
        receiver.goes(up: false)
        try await work(crm)
        _ = try Person(email: "cleo@a.example").erase(crm.kernel)
        receiver.goes(up: true)
        crm.clock.advance(by: "1 hour")
        try await work(crm)
        let sent = try #require(receiver.bodies.last)
        #expect(sent.contains("Acme,") && !sent.contains("Bolt"))
    }

    @Test func `no file of hashes is left behind for a webhook`() async throws {
        let crm = try crm()
        try await work(crm)
        #expect(!FileManager.default.fileExists(atPath: crm.folder + "/exports"))
        #expect(try crm.rows("SELECT file, members FROM audiences_exports") == ["ads|3"])
    }
}
