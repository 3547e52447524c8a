import TrellisKernel

/// `plugins.lead_magnets`: what is offered for a name and an address.
public struct MagnetSettings: SettingsRecord {
    public var magnets: [Named<Magnet>] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("magnets", \.magnets, .named("a mapping of magnets", of: .record()), "What is offered, by name.")
    }

    public struct Magnet: SettingsRecord {
        public var title = ""
        public var kind = "asset"
        public var asset: LocatedText?
        public var form = Form()
        public var deliver = "email"
        public var mail: LocatedText?
        public var optIn = "single"
        public var stage: LocatedText?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("title", \.title, .text, "What people see.")
            SettingsField("kind", \.kind, .word(["asset"]), "asset: a file behind a form.")
            SettingsField("asset", \.asset, optional: .locatedText, "The file, beside the config.")
            SettingsField("form", \.form, .record(), "What is asked for.")
            SettingsField("deliver", \.deliver, .word(["email"]), "email: a mail with a signed link.")
            SettingsField(
                "mail", \.mail, optional: .locatedText, "The mail that brings it; without one a plain built-in one.")
            SettingsField("opt_in", \.optIn, .word(["single"]), "single: the form is enough.")
            SettingsField("stage", \.stage, optional: .locatedText, "The stage a lead of this magnet moves to.")
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            asset == nil ? [ConfigProblem("an asset magnet needs its file: asset: assets/plan.pdf", at: place)] : []
        }
    }

    public struct Form: SettingsRecord {
        public var fields = [FormField(name: Located("email"), isRequired: true)]
        public var consent: [Named<String>] = []
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField(
                "fields", \.fields, .list(of: .formField), "Columns of leads; ! means required: [email!, first_name].")
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
