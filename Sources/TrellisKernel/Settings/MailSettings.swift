extension SiteSettings {
    /// `mail:` where mail comes from and how it leaves.
    public struct Mail: SettingsRecord {
        public var from: String?
        public var templates = "mails"
        public var transport = "file"
        public var folder = "outbox"
        public var smtp: [MailRelay] = []
        public var dkim: [DKIMSettings] = []
        public var consent = "newsletter"
        public var pace: [Named<Rate>] = []
        public var warmUp: WarmUp?
        public var complaintPercentMax = 0.3
        public var bouncePercentMax = 5.0
        public var returns: String?
        public var inbox: String?
        public var tracking = MailTracking.clicks
        public var trackingConsent: String?
        public var machineHits: [Named<LocatedText>] = []
        public var brand = MailBrand()
        /// Nil where the config says nothing: ``MailDates/iso``.
        public var dates: MailDates?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("from", \.from, optional: .mailAddress, "The sender: Acme <hello@acme.example>.")
            SettingsField("templates", \.templates, .text, "The folder of mails, beside the config.")
            SettingsField(
                "transport", \.transport, .word(["file", "smtp"]),
                "file: a Maildir beside the database; smtp: a relay, and so the world.")
            SettingsField("folder", \.folder, .text, "The Maildir of the file transport, beside the config.")
            SettingsField(
                "smtp", \.smtp, .oneOrMore(),
                "The relay that takes our mail, or several: the next is asked where one is of no use.")
            SettingsField(
                "dkim", \.dkim, .oneOrMore(), "Signs each mail in the name of a domain (RFC 6376); one key or several.")
            SettingsField(
                "consent", \.consent, .text,
                "The consent purpose marketing mail needs; 'none' needs no consent, only that nobody objected.")
            SettingsField(
                "pace", \.pace, .named("a mapping of domains", of: .rate),
                "How fast mail goes to a domain: gmail.com: 2 per second; default is for every other domain.")
            SettingsField(
                "warm_up", \.warmUp, optional: .record(),
                "Few marketing mails on the first day and more on each, while receivers do not know the sender.")
            SettingsField(
                "complaints_max", \.complaintPercentMax, .percentOrNever,
                "Marketing mail pauses when more than this of the last 500 mails is called spam, by two people at least; never goes on whatever comes."
            )
            SettingsField(
                "bounces_max", \.bouncePercentMax, .percentOrNever,
                "Marketing mail pauses when more than this of the last 500 marketing mails bounces hard or is refused by policy, "
                    + "to five people at least; never goes on whatever comes."
            )
            SettingsField(
                "returns", \.returns, optional: .returnAddress,
                "Where bounces come back: bounces@acme.example. Each mail gets its own with +ID-HASH before the @, which that host must take for the same mailbox."
            )
            SettingsField(
                "inbox", \.inbox, optional: .text,
                "A Maildir beside the config into which a fetcher puts what comes back; the worker reads its new/ every 30 seconds."
            )
            SettingsField("brand", \.brand, .record(), "How mail looks: the colour of buttons, the logo.")
            SettingsField(
                "dates", \.dates, optional: .choice(),
                "How mails write days, and times by the clock of the lead, with its zone: iso (2026-03-16), dmy (16.03.2026), mdy (03/16/2026), long (16 March 2026)."
            )
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

        /// The domain of the sender: how we call ourselves to relays, and what a signature speaks for.
        public var domain: String? {
            from.flatMap { MailAddress(parsing: $0)?.address.split(separator: "@").last.map(String.init) }
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            guard transport == "smtp" else { return [] }
            var problems: [String] = []
            if smtp.isEmpty {
                problems.append(
                    "transport: smtp needs a relay. Add smtp: {host: smtp.acme.example, username: …, password: \"${SMTP_PASSWORD}\"}."
                )
            }
            if from == nil {
                problems.append("transport: smtp needs a sender. Add from: Acme <hello@acme.example>.")
            }
            return problems.map { ConfigProblem($0, at: place) }
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

extension SettingType where Value == Double {
    /// `0.3%`; infinite for `never`.
    static var percentOrNever: SettingType {
        .parsed("a percentage such as 0.3%, or never") { text in
            if text == "never" { return .infinity }
            guard text.hasSuffix("%"), let percent = Double(text.dropLast().filter { $0 != " " }),
                (0...100).contains(percent)
            else { return nil }
            return percent
        }
    }
}
