import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Has a setting of most types, and asks about the whole config.
private struct Timer: Plugin {
    struct Settings: SettingsRecord {
        var wait = Span.days(3)
        var points = 10
        var stage: LocatedText?
        var condition: LocatedText?
        var select: LocatedText?
        var event: LocatedText?
        var mail: LocatedText?
        var column: LocatedText?
        init() {}

        static var fields: [SettingsField<Self>] {
            SettingsField("wait", \.wait, .span, "How long.")
            SettingsField("points", \.points, .integer(0...100), "How many.")
            SettingsField("stage", \.stage, optional: .locatedText, "A stage.")
            SettingsField("when", \.condition, optional: .sql, "A condition.")
            SettingsField("select", \.select, optional: .sql, "A SELECT.")
            SettingsField("on", \.event, optional: .locatedText, "An event.")
            SettingsField("mail", \.mail, optional: .locatedText, "A mail.")
            SettingsField("column", \.column, optional: .locatedText, "A column.")
        }
    }

    static let name = "timer"
    static let summary = "Waits."
    private let settings: Settings

    init(settings: Settings) { self.settings = settings }

    var hooks: [any Hook] { [] as [any Hook] }

    func check(_ check: ConfigCheck) throws {
        if let stage = settings.stage { check.stage(stage) }
        if let condition = settings.condition { check.leadPredicate(condition) }
        if let select = settings.select { check.select(select, column: "lead_id") }
        if let event = settings.event { check.kind(event) }
        if let mail = settings.mail { check.mail(mail, values: ["link"]) }
        if let column = settings.column { check.leadColumn(column) }
    }
}

@Suite struct ConfigTests {
    private func parse(_ yaml: String, environment: [String: String] = [:]) throws -> Config {
        try Config.parse(yaml, plugins: [Timer.self], environment: environment)
    }

    private func problems(_ yaml: String, environment: [String: String] = [:]) throws -> String {
        try #require(throws: ConfigProblems.self) { try parse(yaml, environment: environment) }.description
    }

    // MARK: - Every problem in one go

    @Test func `every mistake of a file is named at once, each with its place`() throws {
        let text = try problems(
            """
            site:
              name: Acme
              timezone: Mars/Olympus
              secrt: something
              base_url: ftp://acme.example
            database: [crm, sqlite]
            leads:
              stages: [lead, Sales Ready]
              fields:
                budget: rael
            mail:
              from: ${MAIL_FROM}
            plugins:
              scorng: {}
              timer:
                wait: soon
                points: 101
                points: 5
            queries:
              hot: {description: Hot leads}
            """)
        #expect(
            text == """
                config.yaml:3:13: site.timezone: expected an IANA time zone such as Europe/Berlin, got 'Mars/Olympus'.
                config.yaml:4:3: site: unknown key 'secrt'. Did you mean 'secret'?
                config.yaml:5:13: site.base_url: expected an address that starts with https:// or http://, got 'ftp://acme.example'.
                config.yaml:6:11: database: expected a text, got a list.
                config.yaml:8:18: leads.stages.2: expected a name of lower-case letters, digits and _, got 'Sales Ready'.
                config.yaml:10:13: leads.fields.budget: expected one of text, integer, real, date, time, boolean, or a mapping, got 'rael'.
                config.yaml:12:9: mail.from: the environment variable MAIL_FROM is not set. Export it, or put it in .env beside the config.
                config.yaml:14:3: plugins: unknown plugin 'scorng'. There are: timer.
                config.yaml:16:11: plugins.timer.wait: expected a duration such as 90m, 4 hours or 3 days, got 'soon'.
                config.yaml:17:13: plugins.timer.points: expected a whole number from 0 to 100, got '101'.
                config.yaml:18:5: the key 'points' is written twice; the first is in line 17. Keep one.
                config.yaml:20:8: queries.hot: the key 'sql' is missing: One SELECT; parameters stand as :name.
                """)
    }

    @Test(arguments: [
        ("plugin: {}", "config.yaml:1:1: unknown key 'plugin'. Did you mean 'plugins'?"),
        (
            "plugins: {timr: {}}",
            "config.yaml:1:11: plugins: unknown plugin 'timr'. Did you mean 'timer'? There are: timer."
        ),
        (
            "plugins: {timer: {resume: later}}",
            "config.yaml:1:27: plugins.timer.resume: expected one of last, now, start, got 'later'."
        ),
        (
            "plugins: {timer: {enabled: perhaps}}",
            "config.yaml:1:28: plugins.timer.enabled: expected true or false, got 'perhaps'."
        ),
        ("plugins: [timer]", "config.yaml:1:10: plugins: expected a mapping of plugins, got a list."),
        ("just a text", "config.yaml:1:1: expected a mapping, got 'just a text'."),
        (
            "leads: {stages: [mql]}",
            "config.yaml:1:8: leads: 'lead' is missing from the stages; it is the stage of a new lead."
        ),
        (
            "leads: {stages: [lead, mql, lead]}",
            "config.yaml:1:8: leads: the stage 'lead' stands twice in the order. Leave one of the two out."
        ),
        (
            "leads: {fields: {size: {type: integer, one_of: [1, two]}}}",
            "config.yaml:1:24: leads.fields.size: one_of: expected a whole number, got 'two'."
        ),
        (
            "site: {secret: \"${S}\"}",
            "config.yaml:1:7: site: the secret is shorter than 16 characters. Make one with: openssl rand -hex 32"
        ),
        ("site: {name: \"${S\"}", "config.yaml:1:14: site.name: '${' without '}'."),
        ("site: {name: }", "config.yaml:1:14: site.name: expected a text, got nothing."),
    ])
    func `a mistake is said with what was expected`(_ yaml: String, _ expected: String) throws {
        #expect(try problems(yaml, environment: ["S": "short"]) == expected)
    }

    @Test func `a field may not take a name that rows on their way into the file need`() throws {
        let yaml = "leads: {fields: {turn: text, budget: real}}\naccounts: {fields: {turn: text, row: integer}}"
        #expect(
            try problems(yaml) == """
                config.yaml:1:18: leads.fields.turn: 'turn' is a name that Trellis uses itself. Give the field another one.
                config.yaml:2:33: accounts.fields.row: 'row' is a name that Trellis uses itself. Give the field another one.
                """)
    }

    @Test func `a plugin that is off is checked all the same`() throws {
        #expect(try problems("plugins: {timer: {enabled: false, wait: soon}}").contains("plugins.timer.wait"))
    }

    @Test(arguments: ["site:\n\tname: Acme\n", "site:\n  \tname: Acme\n  base_url: x\n"])
    func `a tab before a key is called one`(yaml: String) throws {
        let text = try problems(yaml)
        #expect(text.contains("not valid YAML: "))
        #expect(text.contains(" YAML does not allow tabs for indentation; use spaces."), "\(text)")
    }

    @Test func `a mistake that is no tab is not called one`() throws {
        #expect(try !problems("site:\n  name: [Acme,\t\"x\n").contains("tabs"))
    }

    @Test func `what is no YAML at all is said with its line`() throws {
        let text = try problems("site:\n  name: [Acme\ndatabase: x\n")
        #expect(text.hasPrefix("config.yaml:3:") && text.contains("not valid YAML: "))
    }

    @Test func `anchors and aliases are refused`() throws {
        let text = try problems("site: &it {name: Acme}\nmail: *it\n")
        #expect(text.contains("config.yaml:1:7: site: anchors and aliases are not read here. Write the value out."))
    }

    @Test func `a file beyond reason is refused`() throws {
        #expect(
            try problems("# " + String(repeating: "x", count: 1_000_000))
                == "config.yaml: larger than 1 MB. Split out what is not configuration.")
        let deep = String(repeating: "{a: ", count: 60) + "1" + String(repeating: "}", count: 60)
        #expect(throws: ConfigProblems.self) { try parse("activities: \(deep)") }
    }

    // MARK: - Values

    @Test func `an empty file is all defaults`() throws {
        for text in ["", "# nothing yet\n", "---\n"] {
            let config = try parse(text)
            #expect(
                config.site.database == "crm.sqlite" && config.site.leads.stages.first == "subscriber"
                    && !config.isOn("timer"))
        }
    }

    @Test func `words that YAML takes for something else stay the texts they are`() throws {
        let config = try parse("site: {name: no}\nmail: {consent: on}\ndatabase: 1.10\nleads: {default_country: NO}")
        #expect(config.site.site.name == "no" && config.site.mail.consent == "on" && config.site.database == "1.10")
        #expect(config.site.leads.defaultCountry == "NO")
    }

    @Test func `a variable of the environment stands anywhere in a text, and two dollars stand for one`() throws {
        let config = try parse("site: {name: \"${A} & ${B}, $${A} for $5\"}", environment: ["A": "Acme", "B": "Sons"])
        #expect(config.site.site.name == "Acme & Sons, ${A} for $5")
    }

    @Test func `a secret in clear text is warned about`() throws {
        let clear = try parse("site:\n  secret: 0123456789abcdef0123\n")
        #expect(
            clear.warnings.map(\.description) == [
                "config.yaml:2:11: site.secret: a secret in clear text. Put it in .env and write ${NAME} here."
            ])
        let good = try parse("site: {secret: \"${S}\"}", environment: ["S": "0123456789abcdef0123"])
        #expect(good.warnings.isEmpty && good.site.site.secret == "0123456789abcdef0123")
    }

    @Test func `a plugin is on where its section stands, unless that says otherwise`() throws {
        #expect(try parse("plugins: {timer: {}}").isOn("timer"))
        #expect(try parse("plugins: {timer: }").isOn("timer"))
        #expect(try !parse("plugins: {timer: {enabled: false}}").isOn("timer"))
        #expect(try !parse("plugins: {}").isOn("timer"))
    }

    // MARK: - Files

    /// A folder is what not even root can read as a file.
    @Test func `a .env that cannot be read is not called missing`() throws {
        let folder = NSTemporaryDirectory() + "trellis-env-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/.env", withIntermediateDirectories: true)
        try Data("site: {name: \"${A}\"}\n".utf8).write(to: URL(filePath: folder + "/config.yaml"))
        let found = try #require(throws: ConfigProblems.self) {
            try Config.load(file: folder + "/config.yaml", plugins: [], environment: [:])
        }
        #expect(
            found.problems.map(\.description) == [
                "config.yaml:1:14: site.name: the environment variable A is not set, and .env beside the config cannot be read (Is a directory). Let this user read it, or export it."
            ])
    }

    @Test func `a file is read with the .env beside it, and the real environment wins`() throws {
        let crm = try TestKernel(files: [
            "site.yaml": "site: {name: \"${A} ${B} ${C}\"}\ndatabase: data/crm.sqlite\n",
            ".env": "# secrets\nA=one\nexport B=\"two words\"\n  C = 'three'\n\nnot a line\n",
        ])
        let config = try Config.load(file: crm.folder + "/site.yaml", plugins: [], environment: ["A": "outer"])
        #expect(config.site.site.name == "outer two words three")
        #expect(config.databasePath == crm.folder + "/data/crm.sqlite")
        #expect(try Config.databasePath(ofFile: crm.folder + "/site.yaml") == crm.folder + "/data/crm.sqlite")
    }

    @Test func `a file that is not there or not text is said so`() throws {
        let crm = try TestKernel()
        #expect(throws: KernelError.noConfig(crm.folder + "/no.yaml")) {
            try Config.load(file: crm.folder + "/no.yaml", plugins: [])
        }
        try Data([0x73, 0xff, 0xfe]).write(to: URL(filePath: crm.folder + "/bad.yaml"))
        let problems = try #require(throws: ConfigProblems.self) {
            try Config.load(file: crm.folder + "/bad.yaml", plugins: [])
        }
        #expect(problems.description == "bad.yaml:1:2: not UTF-8 text from here on. Save it as UTF-8.")
    }

    // MARK: - Against the schema

    private func check(_ section: String, _ rest: String = "", files: [String: String] = [:]) throws -> String {
        let crm = try TestKernel(files: files)
        let config = try Config.parse(
            "plugins:\n  timer:\n    \(section)\n\(rest)", folder: crm.folder, plugins: [Timer.self])
        return try #require(throws: ConfigProblems.self) { try config.check(plugins: [Timer.self]) }.description
    }

    @Test(arguments: [
        (
            "stage: mqll",
            "4:stage: there is no stage 'mqll'. Did you mean 'mql'? There are: subscriber, lead, mql, sal, sql, opportunity, customer, recycled, disqualified."
        ),
        ("when: titel = 'Head'", "4:when: SQL: no such column: titel. Did you mean 'title'?"),
        ("when: title = ", "4:when: SQL: near \")\": syntax error."),
        ("select: SELECT id FROM leads", "4:select: the SELECT must have a column 'lead_id'; it has id."),
        ("select: DELETE FROM leads", "4:select: only reads are allowed here."),
        (
            "on: lead.create",
            "4:on: there is no event 'lead.create'. Did you mean 'lead.created'? Activities of your own stand under activities:."
        ),
        ("column: titel", "4:column: leads has no column 'titel'. Did you mean 'title'?"),
        ("mail: welcme", "4:mail: there is no mail 'welcme'. Did you mean 'welcome'? Write mails/welcme.md."),
        (
            "mail: welcome",
            "4:mail: the mail 'welcome' names the unknown variable {{first_nam}}. Did you mean 'first_name'?"
        ),
    ])
    func `what only the whole config can tell is told with its place`(_ section: String, _ expected: String) throws {
        let mail = "---\nsubject: Hi {{first_nam}}\npurpose: transactional\n---\n{{link}}\n"
        let key = try #require(section.split(separator: ":").first)
        let text = try check(section, files: ["mails/welcome.md": mail])
        #expect(text == "config.yaml:3:\(key.count + 7): plugins.timer.\(expected.dropFirst(2))")
    }

    @Test func `a query is checked with its parameters`() throws {
        let text = try check(
            "wait: 1 day",
            """
            queries:
              a: {sql: "SELECT * FROM leeds"}
              b: {sql: "SELECT * FROM leads WHERE country = :country"}
              c: {sql: "SELECT 1", parameters: {country: DE}}
              d: {sql: "SELECT :x", parameters: {x: null}}
            """)
        #expect(
            text == """
                config.yaml:5:12: queries.a.sql: SQL: no such table: leeds.
                config.yaml:6:12: queries.b.sql: the query uses :country, which parameters: does not declare.
                config.yaml:7:37: queries.c.parameters.country: the parameter 'country' is not used by the query as :country.
                """)
    }

    @Test func `what fits passes`() throws {
        let crm = try TestKernel(
            """
            activities: {demo.booked: {slot: text}}
            leads: {fields: {budget: real}}
            plugins: {timer: {stage: mql, when: "title IS NOT NULL", on: demo.booked, column: budget}}
            """,
            plugins: [Timer.self])
        try crm.kernel.config.check(plugins: [Timer.self])
    }

    // MARK: - The schema for editors

    @Test func `a list may be written as one value, and the schema says so`() throws {
        let schema = Config.schema(plugins: [])
        let kinds = try #require(schema["$defs"]?["SQLHookSettings"]?["properties"]?["on"]?["anyOf"])
        #expect(kinds.text() == #"[{"type":"string"},{"type":"array","items":{"type":"string"}}]"#)
    }

    @Test func `the schema is valid JSON and knows every key`() throws {
        let text = Config.schema(plugins: [Timer.self]).text(isIndented: true)
        let schema = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        let properties = try #require(schema["properties"] as? [String: [String: Any]])
        #expect(Set(properties.keys) == Set(SiteSettings.fields.map(\.key) + ["plugins"]))
        let sections = try #require(properties["plugins"]?["properties"] as? [String: [String: Any]])
        let timer = try #require(sections["timer"]?["properties"] as? [String: [String: Any]])
        #expect(
            Set(timer.keys) == [
                "enabled", "resume", "wait", "points", "stage", "when", "select", "on", "mail", "column",
            ])
        #expect(timer["points"]?["maximum"] as? Int == 100 && timer["wait"]?["description"] as? String == "How long.")
        // Every reference leads somewhere.
        let definitions = try #require(schema["$defs"] as? [String: Any])
        for match in text.matches(of: #/"\$ref": "#\/\$defs\/([^"]+)"/#) {
            #expect(definitions[String(match.1)] is [String: Any])
        }
    }
}
