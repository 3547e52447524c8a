import Foundation

/// A program elsewhere that is told of things: one entry of `webhooks`.
public struct WebhookSettings: SettingsRecord {
    public var url = ""
    public var secrets: [String] = []
    public var allowsPrivate = false
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField.required("url", \.url, .webAddress, "Where it is told: https://hooks.acme.example/trellis.")
        SettingsField.required(
            "secret", \.secrets, .list(of: .secret),
            "What it is signed with (Standard Webhooks), as ${NAME}; a list while a secret is changed.")
        SettingsField(
            "allow_private", \.allowsPrivate, .flag,
            "Says that the host lies in a network of the house; then http:// will do too.")
    }

    /// What signs: the bytes behind `whsec_`, which are base64, or the text itself
    /// (https://www.standardwebhooks.com). Nil for base64 that is none.
    public static func key(_ secret: String) -> [UInt8]? {
        guard secret.hasPrefix("whsec_") else { return Array(secret.utf8) }
        return Data(base64Encoded: String(secret.dropFirst("whsec_".count))).map(Array.init)
    }

    /// Standard Webhooks asks for 24 to 64 bytes.
    static let keyBytesMin = 24

    public func problems(at place: Place) -> [ConfigProblem] {
        var problems: [String] = []
        if secrets.contains(where: { (WebhookSettings.key($0)?.count ?? 0) < WebhookSettings.keyBytesMin }) {
            problems.append(
                "a secret has fewer than \(WebhookSettings.keyBytesMin) bytes, or is no base64 behind whsec_. Make one with: echo whsec_$(openssl rand -base64 32)"
            )
        }
        if secrets.isEmpty {
            problems.append("the secret is missing. Make one with: echo whsec_$(openssl rand -base64 32)")
        }
        if url.hasPrefix("http://"), !allowsPrivate {
            problems.append(
                "what is told would cross the network in clear text. Say https://, or allow_private: true for a host of the house."
            )
        }
        return problems.map { ConfigProblem($0, at: place) }
    }
}
