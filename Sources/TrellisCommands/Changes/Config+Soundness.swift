import TrellisKernel
import TrellisServer
import TrellisTransports

extension Config {
    /// Whether a process could begin with it: beyond what the kernel and the plugins ask, the keys and certificates it
    /// names are there, and the pages of the site can be shown.
    ///
    /// - Throws: ``ConfigProblems``, with the places.
    func checkWhole() throws {
        try check(plugins: TrellisProgram.plugins)
        try checkParts()
    }

    /// The same where the kernel and the plugins were asked already.
    func checkParts() throws {
        try OutboxTransports.check(self)
        _ = try Pages(config: self, plugins: TrellisProgram.plugins)
    }
}
