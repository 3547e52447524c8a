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
    ]

    static let builtIn = [
        "magnet-delivery": mail(
            "{{magnet_title}}", "here is what you asked for:\n\n[{{magnet_title}}]({{download_url}})"),
        "magnet-link": mail("{{magnet_title}}", "here is what you asked for:\n\n[{{magnet_title}}]({{magnet_url}})"),
        "magnet-webinar": mail(
            "Your seat: {{magnet_title}}",
            "your seat is saved. {{magnet_title}}: {{webinar_time|whenever it suits you}}.\n\n[Open the webinar]({{magnet_url}})"
        ),
        "magnet-trial": mail(
            "Your trial of {{trial_days}} days", "welcome. Your trial is ready.\n\n[Begin]({{magnet_url}})"),
        "magnet-confirm": mail(
            "Please confirm: {{magnet_title}}",
            """
            somebody, we hope you, asked us for *{{magnet_title}}* with this address. Press the button to get it:

            [Yes, that was me]({{confirm_url}})

            If it was not you, you need do nothing: without the button you get nothing more from us.
            """),
    ]

    private static func mail(_ subject: String, _ text: String) -> String {
        "---\nsubject: \(subject)\npurpose: transactional\n---\nHello {{first_name|there}},\n\n\(text)\n\n{{site_name}}\n"
    }
}
