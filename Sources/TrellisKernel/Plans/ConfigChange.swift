import Foundation
import Yams

/// Another config for a file: what it would change, and putting it into force.
public struct ConfigChange: Sendable {
    /// The config in force; nil where none was noted yet.
    public let before: Config?
    public let after: Config
    /// Plugins that are to be made anew from the log with it.
    public var rebuilding: [String] = []
    private let plugins: [any Plugin.Type]
    private let clock: KernelClock

    /// - Parameters:
    ///   - after: the new config, read and checked; its `database` is the file.
    ///   - environment: what `${NAME}` in the config in force stands for.
    /// - Throws: ``KernelError`` where the file cannot be read, ``ConfigProblems`` where this program no more reads the
    ///   config in force.
    public init(
        to after: Config, plugins: [any Plugin.Type], clock: KernelClock = .system,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        self.after = after
        self.plugins = plugins
        self.clock = clock
        before = try ConfigHistory(of: after.databasePath).current.map { entry in
            var config = try Config.parse(
                entry.text, inPlaceOf: after.path((after.file as NSString).lastPathComponent),
                called: "the config in force", plugins: plugins,
                environment: environment)
            config.site.database = after.site.database
            return config
        }
    }

    /// Whether the text in force is this one.
    public var isInForce: Bool { before?.text == after.text }

    /// What it would change, by a ``Rehearsal``; nothing where no config was noted yet, for there is nothing to hold it
    /// against.
    ///
    /// - Parameter leadsMax: how many leads of each change are named; 0 for none.
    public func plan(
        naming leadsMax: Int = 0, progress: (String) -> Void = { _ in }
    ) async throws -> [PlannedChange] {
        guard let before else { return [] }
        let rehearsal = Rehearsal(of: after.databasePath, plugins: plugins, now: clock.now())
        return try await rehearsal.run(
            from: before, to: after,
            acting: { copy in
                try copy.write(origin: "rebuild") { tx in
                    for name in rebuilding { try Rebuild(copy).begin(name, tx) }
                }
            }, naming: leadsMax, progress: progress)
    }

    /// What it is held to: the limits of the config in force, and those of the new one.
    public var limits: ChangeLimits {
        before.map { $0.site.limits.stricter(after.site.limits) } ?? after.site.limits
    }

    /// Plugins whose tables follow from the log and whose section is another: what they made of the log so far stays as
    /// it is unless they are made anew.
    public var rebuildable: [String] {
        guard let before else { return [] }
        let sections = [before, after].map { YAMLDocument(text: $0.text, file: "").root?["plugins"] }
        return plugins.filter { $0.rebuilds != nil }.map { $0.name }.filter { name in
            before.isOn(name) && after.isOn(name) && sections[0]?[name] != sections[1]?[name]
        }
    }

    /// Columns, such as `leads.budget`, whose fields are no longer in the config: they stay in the file with their
    /// data.
    public var columnsLeft: [String] {
        guard let before else { return [] }
        func columns(_ config: Config) -> [String] {
            config.site.leads.fields.map { "leads.\($0.name)" }
                + config.site.contacts.fields.map { "contacts.\($0.name)" }
                + config.site.accounts.fields.map { "accounts.\($0.name)" }
        }
        let kept = Set(columns(after))
        return columns(before).filter { !kept.contains($0) }
    }

    /// Puts it into force: brings the file up to date with it, notes who did it, and puts its text in place of the
    /// config file. A process that works on the file is told to read it again, by SIGHUP.
    ///
    /// - Parameter file: the config file that gets the text; nothing is written where it has it already.
    /// - Returns: the process that was told; nil where none works on the file.
    /// - Throws: ``KernelError`` where the config file cannot be written, or a plugin cannot be made anew; nothing was
    ///   changed then.
    @discardableResult
    public func adopt(
        as way: ConfigHistory.Way, by author: String, note: String? = nil, planned: [PlannedChange]?,
        writing file: String
    ) throws -> Int32? {
        for name in rebuilding { _ = try Rebuild.tables(of: name, plugins, after) }
        let isWritten = FileManager.default.contents(atPath: file) == Data(after.text.utf8)
        let replacement = isWritten ? nil : try Replacement(of: file, by: after.text)
        defer { replacement?.discard() }
        let kernel = try Kernel(config: after, plugins: plugins, clock: clock, adopting: true)
        defer { try? kernel.close() }
        try kernel.write(origin: "cli") { tx in
            try ConfigHistory.adopt(
                after.text, way: way, author: author, note: note, planned: planned,
                rebuilding: rebuilding, tx)
        }
        try replacement?.take()
        guard let pid = try Worker.current(kernel) else { return nil }
        return kill(pid, SIGHUP) == 0 ? pid : nil
    }

    /// A text on the disk beside the file it is to replace, so that whoever reads the file sees the one or the other.
    private struct Replacement {
        let file: String
        let new: String

        init(of file: String, by text: String) throws {
            self.file = URL(filePath: file).resolvingSymlinksInPath().path()
            new = self.file + ".new"
            let mode = (try? FileManager.default.attributesOfItem(atPath: self.file))?[.posixPermissions]
            guard
                FileManager.default.createFile(
                    atPath: new, contents: Data(text.utf8), attributes: mode.map { [.posixPermissions: $0] })
            else { throw KernelError.cannotCreate(file) }
            let descriptor = open(new, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw KernelError.cannotCreate(file) }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else { throw KernelError.cannotCreate(file) }
        }

        func take() throws {
            guard rename(new, file) == 0 else { throw KernelError.cannotCreate(file) }
        }

        /// Takes it away where it was not taken.
        func discard() {
            unlink(new)
        }
    }
}
