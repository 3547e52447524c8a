import Foundation

/// The IP address a request came from. It is used to limit how often somebody comes; what is kept is the network alone.
public struct ClientAddress: Sendable, Hashable {
    /// 4 or 16 bytes.
    let bytes: [UInt8]

    /// Reads `203.0.113.7` or `2001:db8::7`; an IPv4 address inside an IPv6 one is read as what it is.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let all = withUnsafeBytes(of: six) { Array($0) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        bytes = Array(all.prefix(12)) == mapped ? Array(all.suffix(4)) : all
    }

    /// An address nobody has: for what comes from no network.
    public static let none = ClientAddress(bytes: [0, 0, 0, 0])

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The network it belongs to, which is what is kept as proof: `203.0.113.0/24`, `2001:db8:7::/48`.
    public var network: String { masked(to: bytes.count == 4 ? 24 : 48) }

    /// Who counts as one visitor when forms are limited: an IPv4 address, or a /64 of IPv6, which is one household.
    public var visitor: String { masked(to: bytes.count == 4 ? 32 : 64) }

    private func masked(to bits: Int) -> String {
        let kept = bytes.enumerated().map { index, byte in
            let here = min(8, max(0, bits - index * 8))
            return here == 0 ? 0 : byte & (0xff << UInt8(8 - here))
        }
        return "\(ClientAddress(bytes: kept))/\(bits)"
    }

    /// Whether it is this machine itself: 127.0.0.0/8 or ::1 (RFC 6890, 2.2.2 and 2.2.3).
    public var isLoopback: Bool { ["127.0.0.0/8", "::1"].compactMap(AddressRange.init).contains { isIn($0) } }

    /// Whether it lies in a network such as `10.0.0.0/8`; an address alone is a network of one.
    public func isIn(_ network: AddressRange) -> Bool {
        guard bytes.count == network.base.bytes.count else { return false }
        return masked(to: network.bits) == network.base.masked(to: network.bits)
    }
}

extension ClientAddress: CustomStringConvertible {
    public var description: String {
        var text = [CChar](repeating: 0, count: 46)
        _ = bytes.withUnsafeBytes {
            inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, $0.baseAddress, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Addresses that begin alike: `10.0.0.0/8` (RFC 4632).
public struct AddressRange: Sendable, Hashable {
    let base: ClientAddress
    let bits: Int

    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let base = ClientAddress(first) else { return nil }
        self.base = base
        let most = base.bytes.count * 8
        guard parts.count == 1 || parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            let bits = parts.count == 2 ? Int(parts[1]) : most, (0...most).contains(bits)
        else { return nil }
        self.bits = bits
    }
}
