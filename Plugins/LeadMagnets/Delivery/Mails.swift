import TrellisKernel

/// The mails that stand in until the site writes its own.
enum Mails {
    static func name(for magnet: MagnetSettings.Magnet) -> String {
        switch magnet.kind {
        case .asset: "magnet-delivery"
        case .link: "magnet-link"
        case .webinar: "magnet-webinar"
        case .trial: "magnet-trial"
        }
    }

    /// The mails that a magnet needs, each where the config names it; the built-in ones at the magnet. One whose page
    /// hands over has its mail too: for who has no page before them.
    static func used(by magnet: MagnetSettings.Magnet, at place: Place) -> [LocatedText] {
        let delivery = Located(name(for: magnet), at: place)
        let confirmation = magnet.optIn == .double ? Located("magnet-confirm", at: place) : nil
        return [magnet.mail ?? delivery, magnet.confirmMail ?? confirmation].compactMap(\.self)
    }

    /// What a mail of a magnet may name besides the columns of its lead.
    static let values: Set<String> = [
        "magnet_title", "download_url", "confirm_url", "magnet_url", "webinar_time", "trial_days", "referral_url",
        "mail_language",
    ]

    /// What is said to whoever names one of them, or one that is almost called so, in another mail.
    static let elsewhere: [String: String] = {
        let own = "Only the mails of a magnet know it: its mail and its confirm_mail."
        var all = Dictionary(uniqueKeysWithValues: values.map { ($0, own) })
        all["webinar_time"] =
            "\(own) For others let the magnet write the time into a column of the lead (webinar: {field: webinar_at}), and name that: {{webinar_at}}."
        all["magnet_url"] = "\(own) In others write the address itself."
        all["webinar_url"] =
            "The mails of a magnet, its mail and its confirm_mail, know the place of a webinar as {{magnet_url}}. In others write the address itself."
        return all
    }()

    static func builtIn(_ words: Words) -> [String: String] {
        let title = "{{magnet_title}}"
        let time = "{{webinar_time|\(words("mail_webinar_any_time"))}}"
        func subject(_ key: String) -> String { words(key, ["title": title, "days": "{{trial_days}}"]) }
        func text(_ key: String) -> String { words(key, ["title": title, "time": time]) }
        func mail(_ subject: String, _ text: String) -> String {
            let hello = words("mail_hello", ["name": "{{first_name|\(words("mail_hello_stranger"))}}"])
            return "---\nsubject: \(subject)\npurpose: transactional\n---\n\(hello)\n\n\(text)\n\n{{site_name}}\n"
        }
        return [
            "magnet-delivery": mail(title, "\(text("mail_download_text"))\n\n[\(title)]({{download_url}})"),
            "magnet-link": mail(title, "\(text("mail_download_text"))\n\n[\(title)]({{magnet_url}})"),
            "magnet-webinar": mail(
                subject("mail_webinar_subject"),
                "\(text("mail_webinar_text"))\n\n[\(words("mail_webinar_link"))]({{magnet_url}})"),
            "magnet-trial": mail(
                subject("mail_trial_subject"),
                "\(text("mail_trial_text"))\n\n[\(words("mail_trial_link"))]({{magnet_url}})"),
            "magnet-confirm": mail(
                subject("mail_confirm_subject"),
                """
                \(text("mail_confirm_text"))

                [\(words("mail_confirm_link"))]({{confirm_url}})

                \(text("mail_confirm_otherwise"))
                """),
        ]
    }
}
