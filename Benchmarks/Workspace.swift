import AudienceExport
import DripSequencer
import Foundation
import Handoff
import LeadMagnets
import Logging
import Scoring
import Synchronization
import TrellisKernel

/// A folder with the file of leads and two databases of the same schema: Trellis' own, and the one filled by hand.
struct Workspace: Sendable {
    let folder: String
    let leads: Int

    static let plugins: [any Plugin.Type] = [
        LeadMagnets.self, DripSequencer.self, Scoring.self, AudienceExport.self, Handoff.self,
    ]
    /// The clock stands still at the import, so that both sides write the same times.
    static let importedAt = "2026-03-02 09:00:00.000"
    /// A minute later the audiences are looked at again.
    static let refreshedAt = "2026-03-02 09:01:00.000"
    /// A day later the wait of the first step is over.
    static let tickedAt = "2026-03-03 09:01:00.000"

    var csv: String { folder + "/leads.csv" }
    var oursPath: String { folder + "/ours.sqlite" }
    var limitPath: String { folder + "/limit.sqlite" }

    /// Makes the folder, the file of leads, and both schemas.
    func make() throws {
        remove()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try LeadFile(leads: leads).write(to: csv)
        for side in [Side.ours, .limit] {
            try Data(Site(side: side, leads: leads).yaml.utf8).write(to: URL(filePath: folder + "/" + side.configName))
            try kernel(side, at: Workspace.importedAt).close()
        }
        try RawDatabase(path: limitPath).dropTriggers()
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    enum Side: String {
        case ours, limit

        var configName: String { "\(rawValue).yaml" }
    }

    /// Opens a kernel on one of the files, its clock stopped.
    func kernel(
        _ side: Side, at time: String, rules: ScoreRules = .ten, plugins further: [any Plugin.Type] = [],
        hooks: String = "", for workload: Workload = .bulk
    ) throws -> Kernel {
        try kernel(
            side, clock: StoppedTime(time).clock, rules: rules, plugins: further, hooks: hooks, for: workload)
    }

    func kernel(
        _ side: Side, clock: KernelClock, rules: ScoreRules = .ten, plugins further: [any Plugin.Type] = [],
        hooks: String = "", for workload: Workload = .bulk
    ) throws -> Kernel {
        let types = Workspace.plugins + further
        let yaml = Site(side: side, leads: leads, rules: rules, further: further.map { $0.name }).yaml + "\n" + hooks
        let config = try Config.parse(yaml, folder: folder, plugins: types, environment: [:])
        var logger = Logger(label: "trellis-bench")
        logger.logLevel = .warning
        return try Kernel(config: config, plugins: types, clock: clock, logger: logger, workload: workload)
    }
}

/// A clock that goes on when it is told to.
final class StoppedTime: Sendable {
    private let now: Mutex<Date>

    init(_ text: String) {
        now = Mutex(StoppedTime.date(text))
    }

    var clock: KernelClock { KernelClock { self.now.withLock { $0 } } }

    func set(_ text: String) {
        now.withLock { $0 = StoppedTime.date(text) }
    }

    private static func date(_ text: String) -> Date {
        Timestamp.date(text) ?? .distantPast
    }
}
