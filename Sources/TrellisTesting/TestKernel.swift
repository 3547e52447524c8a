import Foundation
import Logging
import TrellisKernel

/// A whole CRM in a folder of its own, with a stopped clock and a transport that only remembers. The folder goes with
/// it.
/// ```swift
/// let crm = try TestKernel("plugins: {scoring: {fit: {head: {when: \"title = 'Head'\", points: 20}}}}", plugins:
/// [Scoring.self]) let lead = try crm.capture(["email": "ann@acme.example", "title": "Head"]) try crm.pump()
/// #expect(try crm.events() == ["lead.created"])
/// ```
public final class TestKernel {
    public let kernel: Kernel
    public let clock: StoppedClock
    public let transport = RecordingTransport()
    public let folder: String
    private let plugins: [any Plugin.Type]
    private let ownsFolder: Bool
    private let site: String
    private let environment: [String: String]

    /// What every test config begins with.
    public static let site = """
        site: {name: Acme, base_url: "https://crm.acme.example", postal_address: "1 Main Street", secret: "${TRELLIS_SECRET}"}
        mail: {from: "Acme <hello@acme.example>"}
        """
    public static let environment = [
        "TRELLIS_SECRET": "a secret for tests only", "TRELLIS_ADMIN_TOKEN": "a token for tests only, and long enough",
    ]

    /// - Parameters:
    ///   - yaml: the config after ``site``.
    ///   - site: what the config begins with, where ``site`` will not do.
    ///   - files: further files of the folder: `["mails/welcome.md": "…"]`.
    ///   - environment: what `${NAME}` stands for, beside ``environment``.
    public init(
        _ yaml: String = "", site: String = TestKernel.site, plugins: [any Plugin.Type] = [],
        files: [String: String] = [:],
        at time: String = "2026-03-02 09:00:00",
        folder: String? = nil, clock: StoppedClock? = nil, checks: Bool = true, environment: [String: String] = [:]
    ) throws {
        self.plugins = plugins
        self.site = site
        self.environment = environment
        ownsFolder = folder == nil
        self.folder = folder ?? NSTemporaryDirectory() + "trellis-test-" + UUID().uuidString
        self.clock = clock ?? StoppedClock(at: time)
        for (name, text) in files {
            let path = self.folder + "/" + name
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: path))
        }
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        let config = try Config.parse(
            site + "\n" + yaml, folder: self.folder, plugins: plugins,
            environment: TestKernel.environment.merging(environment) { $1 })
        if checks { try config.check(plugins: plugins, clock: self.clock.clock) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        kernel = try Kernel(config: config, plugins: plugins, clock: self.clock.clock, logger: logger, adopting: true)
    }

    deinit {
        try? kernel.close()
        if ownsFolder { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// The same file under another config, as after a restart. Keep the first one alive as long: its folder goes with
    /// it.
    public func reopened(_ yaml: String, site: String? = nil, plugins: [any Plugin.Type]? = nil) throws -> TestKernel {
        try kernel.close()
        return try TestKernel(
            yaml, site: site ?? self.site, plugins: plugins ?? self.plugins, folder: folder, clock: clock,
            environment: environment)
    }

    /// Captures a lead from texts, as a form would. Purposes in `consents` are granted.
    @discardableResult
    public func capture(_ fields: KeyValuePairs<String, String>, form: String? = nil, consents: [String] = []) throws
        -> Int64
    {
        var draft = try kernel.draft(fields.map { ($0.key, $0.value) })
        draft.form = form
        for purpose in consents { draft.consents[purpose] = true }
        let proposal = draft
        return try kernel.write(origin: form.map { "form:\($0)" } ?? "cli") { try $0.capture(proposal).leadID }
    }

    /// Handles every event until nothing is due.
    public func pump() throws {
        try EventPump(kernel).runUntilIdle()
    }

    /// Handles every event and sends every message until nothing is due.
    public func work() async throws {
        let courier = Courier(kernel, transport: transport)
        repeat { try pump() } while try await courier.runUntilIdle() > 0
    }

    /// Writes as another SQLite client would: without a context, through a connection of its own.
    @discardableResult
    public func foreign(_ sql: String) throws -> Int {
        try SQLConnection(path: kernel.config.databasePath, access: .write).run(sql) { _ in true }
    }

    /// The kinds of the events after one, oldest first.
    public func events(after id: Int64 = 0) throws -> [String] {
        try kernel.read {
            try String.fetchAll(
                $0, sql: "SELECT kind FROM events WHERE id > ? AND kind NOT LIKE 'plugin.%' ORDER BY id",
                arguments: [id])
        }
    }

    public var lastEvent: Int64 {
        get throws { try kernel.read { try Int64.fetchOne($0, sql: "SELECT coalesce(max(id), 0) FROM events") ?? 0 } }
    }

    /// Rows of a query as texts, columns joined by `|`; NULL is empty.
    public func rows(_ sql: String) throws -> [String] {
        try kernel.read { db in
            try Row.fetchAll(db, sql: sql).map { row in
                row.databaseValues.map { Cell($0).text ?? "" }.joined(separator: "|")
            }
        }
    }

    /// The first value of a query as text.
    public func value(_ sql: String) throws -> String? {
        try rows(sql).first
    }
}
