import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ConfigCheckActivitiesTests {
    private func problems(_ activities: String) throws -> [String] {
        do {
            _ = try TestKernel("activities: {\(activities)}")
            return []
        } catch let problems as ConfigProblems {
            return problems.problems.map(\.description)
        }
    }

    @Test(arguments: ["go", "Demo.booked", "demo.", ".booked", "demo booked", "it's.done", "demo.2"])
    func `a kind that is no fact is refused with its place`(_ kind: String) throws {
        #expect(
            try problems("\"\(kind)\": {}") == [
                "config.yaml:3:14: activities.\(kind): '\(kind)' is no kind of activity: it is what happened, as a noun, a dot and a verb in lower case, such as demo.booked."
            ])
    }

    @Test func `a fact that Trellis states by itself is nobody's activity`() throws {
        #expect(
            try problems("lead.created: {plan: text}") == [
                "config.yaml:3:14: activities.lead.created: 'lead.created' is a fact that Trellis states by itself, and not one to be recorded. Call the activity otherwise."
            ])
    }

    @Test func `a kind needs no fields, may have more words, and may tell what became of mail elsewhere`() throws {
        #expect(try problems("demo.booked: {}, trial.plan.changed: {to: text}, mail.bounced: {}") == [])
    }
}
