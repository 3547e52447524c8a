import Testing

@testable import TrellisKernel

@Suite struct SecretsTests {
    private func notes(_ hidden: String) throws -> [String] {
        try Config.parse("server: {admin: {sql: {hidden: [\(hidden)]}}}", plugins: []).check(plugins: [])
            .map(\.description).filter { $0.contains("hidden") }
    }

    @Test func `a name that hides nothing is noted with the near miss`() throws {
        let unlessMade = "in what this config makes: nothing is hidden, unless you made it yourself."
        #expect(
            try notes("leads.phnoe, leeds") == [
                "config.yaml:1:33: server.admin.sql.hidden.1: leads has no column 'phnoe' \(unlessMade) Did you mean 'phone'?",
                "config.yaml:1:46: server.admin.sql.hidden.2: there is no table 'leeds' \(unlessMade) Did you mean 'leads'?",
            ])
    }

    @Test func `what is hidden from a reader is looked at as well`() throws {
        let yaml =
            "server: {admin: {readers: {analyst: {token: \"${TOKEN}\", hidden: [leads.phnoe, \"*.phone\"]}}, token: \"${HOUSE}\"}}"
        let environment = ["TOKEN": String(repeating: "t", count: 32), "HOUSE": String(repeating: "h", count: 32)]
        let notes = try Config.parse(yaml, plugins: [], environment: environment).check(plugins: [])
            .filter { $0.place.path.contains("hidden") }
        #expect(notes.map(\.place.path) == ["server.admin.readers.analyst.hidden.1"])
    }

    @Test func `what is there is hidden without a word, in any case`() throws {
        #expect(try notes("leads.phone, Leads.Email, spend, lead_cards").isEmpty)
    }
}
