import Testing

@Suite struct HooksCommandTests {
    private let trellis: TrellisProcess

    /// A file with one lead.
    init() throws {
        trellis = try TrellisProcess()
        try configure("{filter: lead, sql: SELECT 'no' WHERE 0}")
        #expect(try trellis.run("capture", "--email", "ann@acme.example").code == 0)
    }

    private func configure(_ hook: String) throws {
        try trellis.write(
            """
            site: {base_url: "https://crm.acme.example", secret: "${TRELLIS_SECRET}"}
            mail: {from: "desk@acme.example"}
            hooks: {it: \(hook)}

            """, to: "config.yaml")
    }

    @Test func `a hook that 'trellis check' refuses is named with its place, and not tried`() throws {
        try configure("{filter: lead, set: \"DELETE FROM leads RETURNING 'x' AS city\", sql: COMMIT}")
        let tried = try trellis.run("hooks", "test", "it")
        #expect(tried.code == 78 && tried.errors.contains("config.yaml:3:"), "\(tried.code) \(tried.errors)")
        try configure("{filter: lead, sql: SELECT 'no' WHERE 0}")
        let again = try trellis.run("hooks", "test", "it")
        #expect(
            again.code == 0 && again.output.contains("it was given 1 lead. Nothing was written."), "\(again.output)")
    }

    @Test func `a filter that fails is named, when it is tried and when it is at work`() throws {
        try configure("{filter: lead, set: SELECT 'zz' AS country}")
        let sentence = "country: expected a country such as DE or Germany"
        let tried = try trellis.run("hooks", "test", "it")
        #expect(tried.code == 65 && tried.errors.contains("hooks.it: \(sentence)"), "\(tried.code) \(tried.errors)")
        let taken = try trellis.run("capture", "--email", "ben@acme.example")
        #expect(
            taken.code == 65 && taken.errors.contains("hooks/it failed: \(sentence)"), "\(taken.code) \(taken.errors)")
    }
}
