import Foundation
import TrellisKernel

/// `plugins.lead_magnets`: what is offered for a name and an address.
public struct MagnetSettings: SettingsRecord {
    public var magnets: [Named<Magnet>] = []
    public var visitors = Visitors.none
    public var linkDays = 7
    public var leadForms: [Named<AdForm>] = []
    public var confirmationsPerMinute = 60
    public var unconfirmedAfter = Span.days(30)
    public init() {}

    /// Whether a visitor is known again by a cookie of this site before any form is filled in.
    public enum Visitors: String, Sendable, CaseIterable {
        /// No cookie.
        case none
        /// A cookie once the visitor has agreed to one.
        case consent
        /// A cookie from the first page on.
        case always
    }

    public static var fields: [SettingsField<Self>] {
        SettingsField("magnets", \.magnets, .named("a mapping of magnets", of: .record()), "What is offered, by name.")
        SettingsField(
            "lead_forms", \.leadForms, .named("a mapping of lead forms", of: .record()),
            "Forms on ad platforms, by the name in the address of their webhook: /webhooks/NAME.")
        SettingsField(
            "visitors", \.visitors, .choice(),
            "none: no cookie; consent: one once the visitor agreed; always: one from the first page on. Pages seen before a form then belong to the lead."
        )
        SettingsField(
            "link_days", \.linkDays, .integer(1...365), "How many days the links of downloads and confirmations work.")
        SettingsField(
            "confirmations_per_minute", \.confirmationsPerMinute, .integer(1...10_000),
            "Mails that ask to confirm, to everybody together; more wait their turn, so that nobody floods strangers from here."
        )
        SettingsField(
            "unconfirmed_after", \.unconfirmedAfter, .span,
            "When a form whose address nobody confirmed lapses, and its lead goes with it where nothing else is known of it; never before its link does."
        )
    }

    public struct Magnet: SettingsRecord {
        public var title = ""
        public var language: LocatedText?
        public var kind = Kind.asset
        public var asset: LocatedText?
        public var url: String?
        public var page: LocatedText?
        public var picture: LocatedText?
        public var headline: String?
        public var summary: String?
        public var button: String?
        public var form = Form()
        public var deliver = Delivery.email
        public var mail: LocatedText?
        public var confirmMail: LocatedText?
        public var optIn = OptIn.single
        public var stage: LocatedText?
        public var webinar = Webinar()
        public var trial = Trial()
        public var variants: [Named<Variant>] = []
        public var refuse: [AddressFlag] = []
        public var isReferred = false
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("title", \.title, .text, "What people see.")
            SettingsField(
                "language", \.language, optional: SettingType<String>.language.located,
                "The language of its pages, form and built-in mails (BCP 47); else site.language.")
            SettingsField(
                "kind", \.kind, .choice(), "asset: a file; webinar: a seat; trial: dates on the lead; link: a page.")
            SettingsField("asset", \.asset, optional: .locatedText, "The file, beside the config.")
            SettingsField(
                "url", \.url, optional: .webAddress, "Where a link leads, a trial begins, a webinar is joined.")
            SettingsField("page", \.page, optional: .locatedText, "A Markdown file: the text of its landing page.")
            SettingsField(
                "picture", \.picture, optional: .locatedText,
                "The picture of its landing page and of links to it: /public/kitchen.jpg, or https://…")
            SettingsField(
                "headline", \.headline, optional: .text, "The first line of its landing page; else the title.")
            SettingsField("summary", \.summary, optional: .text, "One sentence for lists and snippets.")
            SettingsField("button", \.button, optional: .text, "What the button says.")
            SettingsField("form", \.form, .record(), "What is asked for.")
            SettingsField(
                "deliver", \.deliver, .choice(), "email: a mail with a sealed link; page: at once on the page.")
            SettingsField(
                "mail", \.mail, optional: .locatedText, "The mail that brings it; without one a plain built-in one.")
            SettingsField(
                "confirm_mail", \.confirmMail, optional: .locatedText,
                "The mail that asks to confirm; else a built-in one.")
            SettingsField(
                "opt_in", \.optIn, .choice(),
                "single: the form is enough; double: the address is confirmed by a button in a mail first.")
            SettingsField("stage", \.stage, optional: .locatedText, "The stage a lead of this magnet moves to.")
            SettingsField("webinar", \.webinar, .record(), "When and where, for kind: webinar.")
            SettingsField("trial", \.trial, .record(), "How long, for kind: trial.")
            SettingsField(
                "variants", \.variants, .named("a mapping of variants", of: .record()),
                "Other words on the landing page: for a persona (?variant=NAME in the link), or against each other by weight."
            )
            SettingsField(
                "refuse", \.refuse, .list(of: .choice()),
                "Addresses its form does not take: disposable, role, free_mail, mixed_script.")
            SettingsField(
                "referrals", \.isReferred, .flag,
                "Whether the page after the form gives a link to share, credited to the lead.")
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            var problems: [ConfigProblem] = []
            switch kind {
            case .asset where asset == nil:
                problems.append(ConfigProblem("an asset magnet needs its file: asset: assets/plan.pdf", at: place))
            case .link where url == nil:
                problems.append(ConfigProblem("a link magnet needs where it leads: url: https://…", at: place))
            case .webinar where webinar.startsAt == nil && webinar.recording == nil:
                problems.append(
                    ConfigProblem(
                        "a webinar needs its time or its recording: webinar: {starts_at: \"2026-05-04 16:00\"}, url: https://…",
                        at: place))
            case .webinar where webinar.recording == nil && leadsNowhere:
                problems.append(ConfigProblem("a webinar needs where it is joined: \(wayOut)", at: place))
            case .trial where leadsNowhere:
                problems.append(ConfigProblem("a trial needs where it begins: \(wayOut)", at: place))
            default: break
            }
            return problems
        }

        /// Whether nobody is told where to go: the page after the form shows the address, and so does the built-in
        /// mail. A mail of the site's own may say it in its words.
        private var leadsNowhere: Bool { url == nil && (deliver == .page || mail == nil) }

        /// Whether a mail of the site's own is all that can say where to go.
        var isPlaceInMail: Bool {
            guard url == nil, mail != nil else { return false }
            return kind == .trial || kind == .webinar && webinar.recording == nil
        }

        private var wayOut: String {
            deliver == .page ? "url: https://…" : "url: https://…, or a mail of your own that says it: mail: NAME"
        }
    }

    public enum Kind: String, Sendable, CaseIterable { case asset, webinar, trial, link }
    public enum Delivery: String, Sendable, CaseIterable { case email, page }
    public enum OptIn: String, Sendable, CaseIterable { case single, double }

    /// What an address may be besides a person's own at work.
    public enum AddressFlag: String, Sendable, CaseIterable {
        case disposable, role
        case freeMail = "free_mail"
        /// Letters of several alphabets in one word: `аpple.com` with a Cyrillic а.
        case mixedScript = "mixed_script"
    }

    public struct Form: SettingsRecord {
        public var fields = [FormField(name: Located("email"), isRequired: true)]
        public var more: [LocatedText] = []
        public var consent: [Named<String>] = []
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField(
                "fields", \.fields, .list(of: .formField), "Columns of leads; ! means required: [email!, first_name].")
            SettingsField(
                "more", \.more, .list(of: .locatedText),
                "Asked, two at a time, of a lead that is known and has told the others already.")
            SettingsField(
                "consent", \.consent, .named("a mapping of purposes", of: .text),
                "Purpose and the sentence the person ticks.")
        }
    }

    public struct FormField: Sendable, Hashable {
        public let name: LocatedText
        public let isRequired: Bool

        public static func == (left: Self, right: Self) -> Bool {
            (left.name.value, left.isRequired) == (right.name.value, right.isRequired)
        }
        public func hash(into hasher: inout Hasher) { hasher.combine(name.value) }
    }

    public struct Webinar: SettingsRecord {
        public var startsAt: Date?
        public var minutes = 60
        public var recording: String?
        public var field: LocatedText?
        public var noShowAfter: Located<Span>?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("starts_at", \.startsAt, optional: .instant, "When it begins, UTC: 2026-05-04 16:00.")
            SettingsField("minutes", \.minutes, .integer(5...1440), "How long it lasts.")
            SettingsField("recording", \.recording, optional: .webAddress, "Where it can be seen afterwards.")
            SettingsField(
                "field", \.field, optional: .locatedText,
                "A time of the lead that takes the beginning, for reminders: webinar_at.")
            SettingsField(
                "no_show_after", \.noShowAfter, optional: SettingType<Span>.span.located,
                "How long after its end who registered and is not known to have attended has missed it; never by itself without it."
            )
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            guard noShowAfter != nil, startsAt == nil else { return [] }
            return [
                ConfigProblem(
                    "no_show_after counts from the end of the webinar: say when it begins, starts_at: \"2026-05-04 16:00\"",
                    at: place)
            ]
        }
    }

    public struct Trial: SettingsRecord {
        public var days = 14
        public var field: LocatedText?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("days", \.days, .integer(1...3650), "How many days it lasts, from the submission on.")
            SettingsField(
                "field", \.field, optional: .locatedText, "A date of the lead that takes the last day: trial_ends_on.")
        }
    }

    public struct Variant: SettingsRecord {
        public var headline: String?
        public var page: LocatedText?
        public var picture: LocatedText?
        public var button: String?
        public var weight = 1
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("headline", \.headline, optional: .text, "The first line in its place.")
            SettingsField("page", \.page, optional: .locatedText, "A Markdown file in its place.")
            SettingsField("picture", \.picture, optional: .locatedText, "The picture in its place.")
            SettingsField("button", \.button, optional: .text, "The button in its place.")
            SettingsField(
                "weight", \.weight, .integer(0...1000),
                "How often visitors without a choice see it, against the others and the plain one, which weighs 1; 0: only by link."
            )
        }
    }
}

extension SettingType where Value == MagnetSettings.FormField {
    static var formField: SettingType {
        SettingType<LocatedText>.locatedText.map { text in
            let isRequired = text.value.hasSuffix("!")
            return MagnetSettings.FormField(
                name: Located(isRequired ? String(text.value.dropLast()) : text.value, at: text.place),
                isRequired: isRequired)
        }
    }
}
