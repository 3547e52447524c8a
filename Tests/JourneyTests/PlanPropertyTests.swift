import Foundation
import Logging
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Whatever is changed in a config: what `plan` announces is what `apply` then does.
@Suite struct PlanPropertyTests {
    /// A config by a few choices, each of which a change makes anew.
    private struct Choices {
        var numbers: [Int]

        init(_ random: inout Dice) {
            numbers = (0..<12).map { _ in random.below(6) }
        }

        /// One to three of them are made anew.
        mutating func change(_ random: inout Dice) {
            for _ in 0...random.below(3) { numbers[random.below(numbers.count)] = random.below(6) }
        }

        func isOn(_ index: Int) -> Bool { numbers[index] != 0 }

        var yaml: String {
            let wait = ["1 hour", "2 days", "3 days"][numbers[0] % 3]
            let third = numbers[1] > 2 ? ", {wait: 3 days}, {mail: last}" : ""
            let exit = numbers[2] > 3 ? "exit: [demo.booked]" : "exit: [handoff.offered]"
            let edit = numbers[1] % 2 == 0 ? "keep" : "migrate"
            let second =
                numbers[3] > 2
                ? "proof: {enter: {when: \"country = 'DE'\"}, steps: [{mail: proof}, {wait: 2 hours}, {mail: last}]}"
                : ""
            let title = ["Head", "Clerk", "Chief"][numbers[4] % 3]
            let audience = ["'DE'", "'FR'", "'DE', 'FR'"][numbers[6] % 3]
            let warm =
                isOn(5) ? "warm: {sql: \"SELECT lead_id FROM scoring_scores WHERE score >= \(10 * numbers[7])\"}" : ""
            let reps = numbers[8] > 2 ? ", tom: {email: tom@acme.example}" : ""
            let field = numbers[10] > 3 ? "leads: {fields: {budget: integer}}" : ""
            let hook =
                numbers[11] > 3
                ? "hooks: {sign: {on: demo.booked, from: first, sql: \"UPDATE leads SET city = 'seen' WHERE id IN (SELECT lead_id FROM batch)\"}}"
                : ""
            return """
                \(field)
                \(hook)
                activities: {demo.booked: {}}
                plugins:
                  drip:
                    enabled: \(isOn(2))
                    sequences:
                      welcome: {enter: {on: lead.created}, on_edit: \(edit), \(exit), steps: [{mail: welcome}, {wait: \(wait)}, {mail: proof}\(third)]}
                      \(second)
                  audiences:
                    enabled: \(isOn(6))
                    near: {sql: "SELECT id AS lead_id FROM leads WHERE country IN (\(audience))"}
                    \(warm)
                  scoring:
                    enabled: \(isOn(5))
                    fit: {head: {when: "title = '\(title)'", points: \(20 + 10 * numbers[4])}}
                    engagement: {demo: {on: demo.booked, points: \(10 + 5 * numbers[5])}}
                    thresholds: {mql: {score: \(30 + 10 * numbers[9])}}
                  handoff:
                    enabled: \(isOn(8))
                    at: mql
                    reps: {rita: {email: rita@acme.example}\(reps)}
                """
        }
    }

    private static let path = NSTemporaryDirectory() + "trellis-plan-"

    private func live(_ crm: TestKernel, _ random: inout Dice, _ round: Int) async throws {
        for number in 0..<4 {
            let lead = try crm.capture(
                [
                    "email": "l\(round)-\(number)@a.example", "first_name": "Ann",
                    "title": ["Head", "Clerk", "Chief"][random.below(3)], "country": ["DE", "FR"][random.below(2)],
                ], consents: ["newsletter"])
            if random.below(2) == 0 { try crm.record("demo.booked", lead: lead) }
        }
        try await settle(crm.kernel)
        crm.clock.advance(by: ["1 hour", "1 day", "4 days"][random.below(3)])
        try await settle(crm.kernel)
    }

    /// As a worker does that starts, and ends when nothing is due.
    private func settle(_ kernel: Kernel) async throws {
        let worker = try Worker(kernel, transports: MuteTransport.all)
        try await worker.runUntilIdle()
        try worker.finish()
    }

    private func history(seed: UInt64, changes: Int) async throws {
        var random = Dice(seed: seed)
        var choices = Choices(&random)
        var crm = try TestKernel(choices.yaml, plugins: NurturingSite.plugins, files: NurturingSite.files)
        // The first one keeps the folder.
        let first = crm
        defer { withExtendedLifetime(first) {} }
        for round in 0..<changes {
            try await live(crm, &random, round)
            choices.change(&random)
            let before = PlanPropertyTests.path + UUID().uuidString
            defer { try? FileManager.default.removeItem(atPath: before) }
            _ = try Backup.make(crm.kernel, to: before)
            let config = try Config.parse(
                TestKernel.site + "\n" + choices.yaml, folder: crm.folder, plugins: NurturingSite.plugins,
                environment: TestKernel.environment)
            var change = try ConfigChange(
                to: config, plugins: NurturingSite.plugins, clock: crm.clock.clock, environment: TestKernel.environment)
            if random.below(3) == 0, config.isOn("scoring") { change.rebuilding = ["scoring"] }
            if change.isInForce { continue }
            let announced = try await change.plan()
            let file = crm.folder + "/config.yaml"
            try crm.kernel.close()
            try change.adopt(as: .apply, by: "ann", planned: announced, writing: file)
            #expect(try String(contentsOfFile: file, encoding: .utf8) == config.text)
            crm = try TestKernel(choices.yaml, plugins: NurturingSite.plugins, folder: crm.folder, clock: crm.clock)
            try await settle(crm.kernel)
            let done = try Rehearsal.differences(of: crm.kernel, from: before)
            #expect(
                announced.filter { $0.area != PlannedChange.dayArea } == done,
                "seed \(seed), change \(round):\n\(choices.yaml)")
        }
    }

    @Test(arguments: UInt64(1)...(isLong ? 40 : 4))
    func `what a plan announces is what its application does`(seed: UInt64) async throws {
        try await history(seed: seed, changes: 5)
    }

    private static let isLong = ProcessInfo.processInfo.environment["LONG"] != nil
}
