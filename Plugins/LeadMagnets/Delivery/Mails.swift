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

    /// The mails that a magnet needs, each where the config names it; the built-in ones at the magnet.
    static func used(by magnet: MagnetSettings.Magnet, at place: Place) -> [LocatedText] {
        let delivery = magnet.deliver == .email ? Located(name(for: magnet), at: place) : nil
        let confirmation = magnet.optIn == .double ? Located("magnet-confirm", at: place) : nil
        return [magnet.mail ?? delivery, magnet.confirmMail ?? confirmation].compactMap(\.self)
    }

    /// What a mail of a magnet may name besides the columns of its lead.
    static let values: Set<String> = [
        "magnet_title", "download_url", "confirm_url", "magnet_url", "webinar_time", "trial_days", "referral_url",
        "mail_language",
    ]

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
