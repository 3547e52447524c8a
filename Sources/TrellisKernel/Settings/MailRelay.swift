import Foundation

/// A server that takes our mail and brings it to the world: one entry of `mail.smtp`.
public struct MailRelay: SettingsRecord, Hashable {
    /// How the way to the relay is encrypted (RFC 8314).
    public enum Encryption: String, Sendable, CaseIterable {
        /// Begins in the clear and is encrypted before anything is said (RFC 3207).
        case starttls
        /// Encrypted from the first byte.
        case implicit
        /// Never: for a relay on this machine.
        case none
    }

    public var host = ""
    public var port: Int?
    public var username: String?
    public var password: String?
    public var encryption: Encryption?
    public var authority: String?
    public var connections = 4
    public var hello: String?
    public var timeout: Span?
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField.required("host", \.host, .hostName, "The relay: smtp.acme.example.")
        SettingsField(
            "port", \.port, optional: .integer(1...65535), "587 where nothing is said; 465 with implicit, 25 with none."
        )
        SettingsField("username", \.username, optional: .text, "Who we are to the relay.")
        SettingsField("password", \.password, optional: .secret, "The password, as ${SMTP_PASSWORD}.")
        SettingsField(
            "tls", \.encryption, optional: .choice(),
            "starttls, implicit (encrypted from the first byte) or none (for a relay on this machine).")
        SettingsField(
            "ca", \.authority, optional: .text,
            "A PEM file of certificates to trust besides those of the system, beside the config.")
        SettingsField("connections", \.connections, .integer(1...100), "Connections at a time.")
        SettingsField(
            "hello", \.hello, optional: .hostName, "How we call ourselves; otherwise the domain of mail.from.")
        SettingsField("timeout", \.timeout, optional: .span, "The longest wait for any answer; otherwise RFC 5321's.")
    }

    /// The port that is asked: the one given, or the usual one.
    public var portInUse: Int {
        if let port { return port }
        return switch encryptionInUse {
        case .starttls: 587
        case .implicit: 465
        case .none: 25
        }
    }

    /// What was given, or what the port is for.
    public var encryptionInUse: Encryption { encryption ?? (port == 465 ? .implicit : .starttls) }

    /// Whether the relay is this machine, so that nothing crosses a network.
    public var isLoopback: Bool { ListenAddress(host: host, port: portInUse).isLoopback }

    public func problems(at place: Place) -> [ConfigProblem] {
        var problems: [String] = []
        if (username == nil) != (password == nil) {
            problems.append(
                "a \(username == nil ? "password" : "username") alone lets nobody in. Give username and password, or neither."
            )
        }
        if encryptionInUse == .none, password != nil, !isLoopback {
            problems.append(
                "the password would cross the network in clear text. Say tls: starttls, or tls: implicit.")
        }
        if encryption == .starttls, port == 465 {
            problems.append(
                "port 465 is encrypted from the first byte. Say tls: implicit, or take port 587.")
        }
        if let timeout, timeout.seconds < 1 { problems.append("a timeout of 0 lets no answer in. Give 30s or more.") }
        return problems.map { ConfigProblem($0, at: place) }
    }
}

extension SettingType where Value == String {
    /// A name of the network, or an address: what a connection is made to (RFC 1123, 2.1).
    static var hostName: SettingType {
        .parsed("a host name such as smtp.acme.example") { text in
            if ClientAddress(text) != nil { return text }
            let labels = text.split(separator: ".", omittingEmptySubsequences: false)
            let isName = labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy {
                        isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    }
            }
            return isName && text.utf8.count <= 253 ? text : nil
        }
    }
}

private func isAlphanumeric(_ byte: UInt8) -> Bool { MailEncoding.isAlphanumeric(byte) }
