extension SiteSettings {
    /// `mail:` where mail comes from and how it leaves.
    public struct Mail: SettingsRecord {
        public var from: String?
        public var templates = "mails"
        public var transport = "file"
        public var folder = "outbox"
        public var consent = "newsletter"
        public var returns: String?
        public var inbox: String?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("from", \.from, optional: .mailAddress, "The sender: Acme <hello@acme.example>.")
            SettingsField("templates", \.templates, .text, "The folder of mails, beside the config.")
            SettingsField("transport", \.transport, .word(["file"]), "file: a Maildir beside the database.")
            SettingsField("folder", \.folder, .text, "The Maildir of the file transport, beside the config.")
            SettingsField(
                "consent", \.consent, .text,
                "The consent purpose marketing mail needs; 'none' needs no consent, only that nobody objected.")
            SettingsField(
                "returns", \.returns, optional: .returnAddress,
                "Where bounces come back: bounces@acme.example. Each mail gets its own with +ID-HASH before the @, which that host must take for the same mailbox."
            )
            SettingsField(
                "inbox", \.inbox, optional: .text,
                "A Maildir beside the config into which a fetcher puts what comes back; the worker reads its new/ every 30 seconds."
            )
        }
    }
}

extension SettingType where Value == String {
    /// The address that return addresses are made of: see ``BounceAddress``.
    static var returnAddress: SettingType {
        .parsed(
            "a bare address such as bounces@acme.example, at most \(BounceAddress.baseBytesMax) characters before the @"
        ) {
            BounceAddress.parts(of: $0) == nil ? nil : $0.lowercased()
        }
    }
}
