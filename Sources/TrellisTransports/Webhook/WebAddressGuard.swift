import Foundation
import TrellisKernel

/// Which addresses of the web a webhook may be sent to, so that nobody makes this machine knock at doors inside the
/// house (CWE-918).
///
/// It is pure: ``target(of:)`` reads the URL, and ``isAllowed(_:)`` is asked for every address the name stands for. The
/// connection then goes to the very address that was asked about, so that a name that changes meanwhile gains nothing.
public struct WebAddressGuard: Sendable {
    /// Whether addresses of the house will do, and http.
    public let allowsPrivate: Bool

    public init(allowsPrivate: Bool = false) {
        self.allowsPrivate = allowsPrivate
    }

    /// The parts of a URL that may be asked.
    public struct Target: Sendable, Hashable {
        public let isEncrypted: Bool
        /// A name, or an address without brackets.
        public let host: String
        public let port: Int
    }

    public enum Problem: Error, Hashable, CustomStringConvertible {
        case notAURL, scheme, credentials, host, port, privateAddress, noAddress

        public var description: String {
            switch self {
            case .notAURL: "it is no URL. Write https://hooks.acme.example/trellis."
            case .scheme: "it does not begin with https://."
            case .credentials: "it holds a user or a password. The signature says who asks; leave them out."
            case .host: "its host is neither a name nor an address as it is usually written."
            case .port: "its port is none of the web: 443, or from 1024 on."
            case .privateAddress:
                "its host lies inside a network, not on the web. Say allow_private: true where that is meant."
            case .noAddress: "its host has no address."
            }
        }
    }

    /// Reads a URL. What programs read differently is refused: a number as host, an octal or short address, another
    /// script's dots, a backslash.
    public func target(of url: String) throws(Problem) -> Target {
        let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
        guard isPlain, url.utf8.count <= 2000, let parts = URLComponents(string: url), let scheme = parts.scheme else {
            throw .notAURL
        }
        let isEncrypted = scheme.lowercased() == "https"
        guard isEncrypted || (scheme.lowercased() == "http" && allowsPrivate) else { throw .scheme }
        let authority = url.drop { $0 != ":" }.dropFirst(3).prefix { !"/?#".contains($0) }
        guard parts.user == nil, parts.password == nil, !authority.contains("@") else { throw .credentials }
        guard let written = parts.encodedHost, !written.isEmpty, !written.contains("%") else { throw .host }
        let host = written.hasPrefix("[") ? String(written.dropFirst().dropLast()) : written.lowercased()
        if let address = ClientAddress(host) {
            guard isAllowed(address) else { throw .privateAddress }
        } else {
            guard WebAddressGuard.isName(host) else { throw .host }
            if !allowsPrivate, WebAddressGuard.isInsideName(host) { throw .privateAddress }
        }
        let port = parts.port ?? (isEncrypted ? 443 : 80)
        guard (1...65535).contains(port), allowsPrivate || port == 443 || port >= 1024 else { throw .port }
        return Target(isEncrypted: isEncrypted, host: host, port: port)
    }

    /// Whether a connection may be made to an address.
    public func isAllowed(_ address: ClientAddress) -> Bool {
        if WebAddressGuard.never.contains(where: address.isIn) { return false }
        return allowsPrivate || !WebAddressGuard.inside.contains(where: address.isIn)
    }

    /// A name whose last label is no number: `2130706433`, `0x7f.1` and `0177.0.0.1` are addresses to some programs.
    private static func isName(_ host: String) -> Bool {
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    (97...122).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 95
                }
        }
        guard areLabels, name.utf8.count <= 253, let last = labels.last else { return false }
        return !(last.utf8.first.map { (48...57).contains($0) } ?? true)
    }

    /// Names that never leave a house (RFC 6761, RFC 6762, RFC 8375), and those without a dot.
    private static func isInsideName(_ host: String) -> Bool {
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        return !name.contains(".")
            || [".localhost", ".local", ".internal", ".home.arpa"].contains { name.hasSuffix($0) }
    }

    /// Nobody's, everybody's, and those of the link, where clouds answer with keys (RFC 6890, RFC 3927).
    private static let never = [
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
        "2001::/32", "2001:db8::/32", "2002::/16", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::254/128",
    ].compactMap(AddressRange.init)

    /// RFC 1918, RFC 4193, RFC 6598 and this machine.
    private static let inside = [
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7",
        // The IPv4 addresses that were once written so; nobody on the web has one.
        "::/96",
    ].compactMap(AddressRange.init)
}
