import TrellisKernel

/// Something that may touch many rows at once. Where the config sets limits it is done on a copy first, and refused
/// where it would touch more.
struct LimitedChange {
    private let kernel: Kernel
    private let isConfirmed: Bool
    private let phase: String

    /// - Parameter phase: what is told while it is tried.
    init(_ kernel: Kernel, isConfirmed: Bool, doing phase: String) {
        self.kernel = kernel
        self.isConfirmed = isConfirmed
        self.phase = phase
    }

    /// - Throws: ``KernelError/data(_:)`` with each limit that would be exceeded.
    func hold(_ work: (Kernel) throws -> Void) async throws {
        let limits = kernel.config.site.limits
        guard limits.areSet, !isConfirmed else { return }
        let rehearsal = Rehearsal(of: kernel.config.databasePath, plugins: kernel.pluginTypes, now: kernel.clock.now())
        let changes = try await rehearsal.run(from: kernel.config, to: kernel.config, acting: work) {
            TrellisProgram.progress("\(phase): \($0)")
        }
        TrellisProgram.progress(nil)
        let exceeded = limits.exceeded(by: changes)
        guard !exceeded.isEmpty else { return }
        throw KernelError.data(
            (exceeded + ["Nothing was done. --confirm does it all the same."]).joined(separator: "\n"))
    }
}
