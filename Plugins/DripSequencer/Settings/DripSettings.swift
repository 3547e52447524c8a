import TrellisKernel

/// `plugins.drip`: sequences of mails, tasks and waits, each begun and ended by events.
public struct DripSettings: SettingsRecord {
    public var cap = Caps()
    public var quiet: QuietHours?
    public var lateAfter = Span(seconds: 3600)
    public var sequences: [Named<SequenceSettings>] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "cap", \.cap, .record(orShort: SettingType<Rate>.rate.map { Caps(mail: $0) }),
            "How often one lead hears from us, over all sequences: 3 per week; or {mail: 3 per week, task: 1 per day}.")
        SettingsField(
            "quiet", \.quiet, optional: .record(),
            "When no marketing mail goes out, by the clock of the lead; what comes due then waits for the morning.")
        SettingsField(
            "late_after", \.lateAfter, .span,
            "What came due longer ago than this while Trellis was down or the plugin off is late: see late.")
        SettingsField(
            "sequences", \.sequences, .named("a mapping of sequences", of: .record()),
            "Each a list of steps that a lead goes through.")
    }

    /// The names stand in the keys of what is sent, `drip:NAME:…`, by which a sequence tells its own from that of
    /// others.
    public func problems(at _: Place) -> [ConfigProblem] {
        sequences.filter { $0.name.wholeMatch(of: /[A-Za-z0-9_-]{1,100}/) == nil }.map {
            ConfigProblem(
                "a sequence is named by up to 100 letters from a to z, digits, - and _; this is '\($0.name)'.",
                at: $0.place)
        }
    }

    /// How often one lead is written to or worked on, by channel.
    public struct Caps: SettingsRecord {
        public var mail: Rate?
        public var task: Rate?
        public init() {}

        init(mail: Rate) {
            self.mail = mail
        }

        public static var fields: [SettingsField<Self>] {
            SettingsField("mail", \.mail, optional: .rate, "Marketing mails to a lead: 3 per week.")
            SettingsField("task", \.task, optional: .rate, "Tasks about a lead: 1 per day.")
        }
    }
}
