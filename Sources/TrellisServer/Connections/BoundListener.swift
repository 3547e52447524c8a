import Foundation
import Hummingbird
import NIOCore
import ServiceLifecycle
import TrellisKernel

/// A listener as a service. Where its address cannot be had it says which one that is, and which setting names it.
struct BoundListener<Door: ApplicationProtocol>: Service {
    let door: Door
    let address: ListenAddress
    /// Its place in the config: `server.listen`.
    let setting: String

    func run() async throws {
        do {
            try await door.run()
        } catch let error as IOError {
            let faults: [Int32: KernelError.ListeningFault] = [
                EADDRINUSE: .taken, EACCES: .notPermitted, EADDRNOTAVAIL: .notOurs,
            ]
            guard let fault = faults[error.errnoCode] else { throw error }
            throw problem(fault)
        } catch is SocketAddressError {
            throw problem(.notOurs)
        }
    }

    private func problem(_ fault: KernelError.ListeningFault) -> KernelError {
        .cannotListen(address: address.description, setting: setting, reason: fault)
    }
}
