import ArgumentParser
import Foundation
import Synchronization
import TrellisKernel
import TrellisServer
import TrellisTransports

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract:
            "The whole CRM in one process: pages, forms, links, the API, and the work behind them; until SIGTERM.",
        discussion:
            "Pages and forms are on server.listen (127.0.0.1:8080), the API and the figures on server.admin.listen (127.0.0.1:8081)."
    )

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        JSONLog.bootstrap()
        let (reload, begins) = (Reload(global, serves: true), RaisedFlag())
        let kernel = try global.open(for: .worker, makesFile: true)
        guard kernel.config.site.site.secret != nil else { throw KernelError.noSecret }
        let worker = try Worker(
            kernel, transports: OutboxTransports.all(of: kernel.config, clock: kernel.clock), web: HTTPReader.system)
        if worker.isAfterCrash {
            TrellisProgram.note(
                "The process before this one did not end well. What it had begun is done again where that is safe.")
        }
        let hasAPI = kernel.config.site.server.admin.token != nil
        let path = kernel.config.databasePath
        let closed = Mutex(hasAPI ? 2 : 1)
        let server = try WebServer(kernel) { address in
            TrellisProgram.note("Listening: \(address)")
            let isOpen = closed.withLock { count in
                count -= 1
                return count == 0
            }
            guard isOpen else { return }
            TrellisProgram.note(
                "Serving \(path) (pid \(ProcessInfo.processInfo.processIdentifier)). Stop with Ctrl-C.")
        }
        if !hasAPI { TrellisProgram.note("The API is off: set server.admin.token to have it.") }
        try await server.run(with: worker) {
            if reload.isDue() { begins.raise() }
            return begins.isRaised
        }
        try kernel.close()
        if begins.isRaised { reload.begin() }
        TrellisProgram.note("Stopped.")
    }
}
