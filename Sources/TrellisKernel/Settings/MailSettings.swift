extension SiteSettings {
    /// `mail:` where mail comes from and how it leaves.
    public struct Mail: SettingsRecord {
        public var from: String?
        public var templates = "mails"
        public var transport = "file"
        public var folder = "outbox"
        public var consent = "newsletter"
        public var tracking = MailTracking.clicks
        public var trackingConsent: String?
        public var machineHits: [Named<LocatedText>] = []
        public var brand = MailBrand()
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("from", \.from, optional: .mailAddress, "The sender: Acme <hello@acme.example>.")
            SettingsField("templates", \.templates, .text, "The folder of mails, beside the config.")
            SettingsField("transport", \.transport, .word(["file"]), "file: a Maildir beside the database.")
            SettingsField("folder", \.folder, .text, "The Maildir of the file transport, beside the config.")
            SettingsField(
                "consent", \.consent, .text,
                "The consent purpose marketing mail needs; 'none' needs no consent, only that nobody objected.")
            SettingsField("brand", \.brand, .record(), "How mail looks: the colour of buttons, the logo.")
            SettingsField(
                "tracking", \.tracking, .choice(),
                "What is learnt of marketing mail: clicks, clicks and opens, or none.")
            SettingsField(
                "tracking_consent", \.trackingConsent, optional: .text,
                "The consent purpose without which a lead's mail is not watched: plain links, no picture.")
            SettingsField(
                "machine_hits", \.machineHits, .named("a mapping of rules", of: .sql),
                "Rules of the site for clicks and opens of machines: SQL over the columns of mail_hit_signs.")
        }
    }
}
