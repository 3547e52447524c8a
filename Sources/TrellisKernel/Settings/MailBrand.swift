extension SiteSettings {
    /// `mail.brand:` how mail looks without a layout of the site's own.
    public struct MailBrand: SettingsRecord {
        public var color = WebColor.standard
        public var logo: String?
        public var logoAlt: String?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField(
                "color", \.color, .parsed("a colour such as #0b5cad") { WebColor($0) },
                "The colour of buttons; links have it too, darkened until it reads well.")
            SettingsField(
                "logo", \.logo, optional: .webAddress, "The address of a picture, shown 40 pixels high above the mail.")
            SettingsField(
                "logo_alt", \.logoAlt, optional: .text,
                "What stands there while pictures are off; else the site's name.")
        }
    }
}
