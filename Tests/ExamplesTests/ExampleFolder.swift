import AudienceExport
import DripSequencer
import Figures
import Foundation
import Handoff
import LeadMagnets
import Logging
import Scoring
import TrellisKernel
import TrellisTesting

/// The folder that holds Package.swift.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The plugins of the program as it is shipped, in its order.
let shippedPlugins: [any Plugin.Type] = [
    LeadMagnets.self, DripSequencer.self, Scoring.self, AudienceExport.self, Handoff.self, Figures.self,
]

/// A CRM of this repository in a folder of its own, with a stopped clock and a transport that only remembers.
final class ExampleFolder {
    let kernel: Kernel
    let clock: StoppedClock
    let transport = RecordingTransport()
    let folder: String

    /// - Parameters:
    ///   - name: a folder of the repository: `Examples/sales-pipeline`.
    ///   - files: further files beside its config.
    init(_ name: String, at time: String, files: [String: String] = [:]) throws {
        folder = NSTemporaryDirectory() + "trellis-example-" + UUID().uuidString
        clock = StoppedClock(at: time)
        try FileManager.default.copyItem(atPath: repository.appending(path: name).path(), toPath: folder)
        for (file, text) in files { try Data(text.utf8).write(to: URL(filePath: folder + "/" + file)) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        kernel = try Kernel(
            config: try ExampleFolder.config(folder), plugins: shippedPlugins, clock: clock.clock, logger: logger)
    }

    deinit {
        try? kernel.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Reads and checks the config of a folder, as `trellis check` does.
    static func config(_ folder: String) throws -> Config {
        let config = try Config.load(
            file: folder + "/config.yaml", plugins: shippedPlugins, environment: TestKernel.environment)
        try config.check(plugins: shippedPlugins)
        return config
    }

    @discardableResult
    func importing(_ file: String, mapping: String? = nil, into target: ImportMapping.Target? = nil) throws
        -> ImportReport
    {
        var plan = try mapping.map { try ImportMapping.load(folder + "/" + $0) } ?? ImportMapping()
        if let target { plan.target = target }
        return try Importer(kernel, file: folder + "/" + file, mapping: plan).run()
    }

    /// Captures a lead by a form.
    @discardableResult
    func capture(_ form: String, _ fields: KeyValuePairs<String, String>, newsletter: Bool = true) throws -> Int64 {
        var draft = try kernel.draft(fields.map { ($0.key, $0.value) })
        draft.form = form
        draft.consents = ["newsletter": newsletter]
        let proposal = draft
        return try kernel.write(origin: "form:\(form)") { try $0.capture(proposal).leadID }
    }

    func record(_ kind: String, lead: Int64, _ fields: KeyValuePairs<String, String> = [:]) throws {
        try kernel.write(origin: "cli") { try $0.record(kind, lead: lead, fields: fields.map { ($0.key, $0.value) }) }
    }

    /// Handles every event and sends every message until nothing is due.
    func work() async throws {
        let courier = Courier(kernel, transport: transport)
        repeat { try EventPump(kernel).runUntilIdle() } while try await courier.runUntilIdle() > 0
    }

    /// Rows of a query as texts, columns joined by `|`; NULL is empty.
    func rows(_ sql: String) throws -> [String] {
        try kernel.read { db in
            try Row.fetchAll(db, sql: sql).map { row in
                row.databaseValues.map { Cell($0).text ?? "" }.joined(separator: "|")
            }
        }
    }

    /// A query of the config with its own defaults, or with values in their place.
    func query(_ name: String, _ values: [String: String] = [:]) throws -> [String] {
        guard let query = kernel.config.site.queries.first(where: { $0.name == name })?.value else {
            throw KernelError.usage("There is no query '\(name)'.")
        }
        return try reading().table(query.sql.value, parameters: query.values(values)).rows.map { row in
            row.map { $0.text ?? "" }.joined(separator: "|")
        }
    }

    /// A connection aside to which `'now'` is the moment of the clock.
    func reading() throws -> SQLConnection {
        try SQLConnection(path: kernel.config.databasePath, access: .read, clock: clock.clock)
    }

    /// `template to` of every message that was sent, in the order of the outbox.
    func sent(_ condition: String = "true") throws -> [String] {
        try rows(
            """
            SELECT template || ' ' || coalesce(recipient, (SELECT email FROM leads WHERE id = lead_id)) FROM outbox_messages
            WHERE state = 'sent' AND \(condition) ORDER BY id
            """)
    }

    /// Promises that are broken, in words. Empty when all is well.
    func troubles() throws -> [String] {
        try Doctor(kernel).examine(isStrict: true).filter { !$0.isKept }.map { "\($0.promise): \($0.detail)" }
    }
}
