import Synchronization
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

/// Writes down that the server ended.
private struct Closer: Plugin {
    static let name = "closer"
    static let summary = "Remembers the end."
    init(settings: NoSettings) {}
    var hooks: [any Hook] { [] }
    func end(_ kernel: Kernel) async {
        do {
            try await kernel.writeTogether(origin: "closer") { tx in
                try tx.db.execute(sql: "INSERT INTO accounts (name) VALUES ('ended')")
            }
        } catch {
            Issue.record(error)
        }
    }
}

@Suite struct WebServerTests {
    private final class Flag: Sendable {
        private let raised = Atomic(false)
        func raise() { raised.store(true, ordering: .relaxed) }
        var isRaised: Bool { raised.load(ordering: .relaxed) }
    }

    private func crm(listeningOn address: String) throws -> TestKernel {
        try TestKernel("server: {listen: \"\(address)\"}\nplugins: {closer: {}}", plugins: [Closer.self])
    }

    @Test func `a stop in order lets plugins write what they kept, once, after the worker ended`() async throws {
        let crm = try crm(listeningOn: "127.0.0.1:0")
        let kernel = crm.kernel
        let opened = Flag()
        let server = try WebServer(kernel, secondsToCancel: 600) { address in
            #expect(address.hasPrefix("public http://127.0.0.1:"))
            opened.raise()
        }
        try await server.run(with: try Worker(kernel, transports: [])) { opened.isRaised }
        #expect(try crm.rows("SELECT name FROM accounts") == ["ended"])
        #expect(try crm.rows("SELECT count(*) FROM worker_runs WHERE ended_at IS NOT NULL") == ["1"])
    }

    @Test func `so does a server that ends because it cannot listen`() async throws {
        let crm = try crm(listeningOn: "203.0.113.1:8080")
        let kernel = crm.kernel
        await #expect(
            throws: KernelError.cannotListen(
                address: "203.0.113.1:8080", setting: "server.listen", reason: .notOurs)
        ) {
            try await WebServer(kernel, secondsToCancel: 600).run(with: try Worker(kernel, transports: []))
        }
        #expect(try crm.rows("SELECT name FROM accounts") == ["ended"])
    }
}
