import Foundation
import NIOPosix
import TrellisKernel

/// Asks the system for every address of a name.
public struct AddressLookup: Sendable {
    /// Every address, in the system's order of preference; empty where the name is not known.
    public let addresses: @Sendable (_ host: String) async -> [ClientAddress]

    public init(addresses: @escaping @Sendable (_ host: String) async -> [ClientAddress]) {
        self.addresses = addresses
    }

    /// getaddrinfo(3), on a thread where it may wait.
    public static let system = AddressLookup { host in
        (try? await NIOThreadPool.singleton.runIfActive { AddressLookup.ask(host) }) ?? []
    }

    private static func ask(_ host: String) -> [ClientAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var found: [ClientAddress] = []
        var entry = first
        while let current = entry {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let status = getnameinfo(
                current.pointee.ai_addr, current.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
                NI_NUMERICHOST)
            // A zone such as %eth0 belongs to the link, which is never asked: the address without it is refused.
            let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
            let plain = String(decoding: bytes, as: UTF8.self).split(separator: "%").first ?? ""
            if status == 0, let address = ClientAddress(plain) { found.append(address) }
            entry = current.pointee.ai_next
        }
        return found
    }
}
