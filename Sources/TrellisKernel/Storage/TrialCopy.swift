import Foundation

/// A copy of the file under another config: what a change would do is done there, and looked at. Nothing of it is sent,
/// and it is gone with this object.
///
/// The copy takes as much room as the file, in the folder for temporary files (`TMPDIR`).
public final class TrialCopy {
    public let kernel: Kernel
    private let folder: String

    /// - Parameter file: the other config; its own `database` is not touched.
    /// - Throws: ``ConfigProblems`` for what is wrong with it, ``KernelError`` where the copy cannot be made.
    public init(of original: Kernel, config file: String) throws {
        var config = try Config.checked(file: file, plugins: original.pluginTypes)
        folder = NSTemporaryDirectory() + "trellis-trial-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        do {
            config.site.database = folder + "/copy.sqlite"
            _ = try Backup.make(original, to: config.site.database)
            kernel = try Kernel(
                config: config, plugins: original.pluginTypes, clock: original.clock, logger: original.logger)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    deinit {
        try? kernel.close()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
