/// A key that mails are signed with: one entry of `mail.dkim` (RFC 6376).
public struct DKIMSettings: SettingsRecord {
    public var domain = ""
    public var selector = ""
    public var key = Located("")
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField.required("domain", \.domain, .hostName, "The domain that vouches: acme.example.")
        SettingsField.required(
            "selector", \.selector, .hostName,
            "The name of the key: its public half stands at SELECTOR._domainkey.DOMAIN.")
        SettingsField.required(
            "key", \.key, .locatedText, "The private key as a PEM file beside the config: RSA of 2048 bits, or Ed25519."
        )
    }
}
