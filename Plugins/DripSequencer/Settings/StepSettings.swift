import TrellisKernel

/// One step of a sequence: exactly one of its acts, with then and else beside those that branch.
public struct StepSettings: SettingsRecord {
    public var wait: Span?
    public var waitUntil: Located<Moment>?
    public var waitFor: [LocatedText] = []
    public var waitCondition: LocatedText?
    public var atMost: Span?
    public var mail: LocatedText?
    public var within: Span?
    public var task: TaskSettings?
    public var webhook: LocatedText?
    public var condition: LocatedText?
    public var then: [StepSettings] = []
    public var otherwise: [StepSettings] = []
    public var test: TestSettings?
    public var set: [Named<LocatedText>] = []
    public var enter: LocatedText?
    public var exit: LocatedText?
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("wait", \.wait, optional: .span, "Wait so long.")
        SettingsField(
            "wait_until", \.waitUntil, optional: SettingType<Moment>.moment.located,
            "Wait for a moment by the clock of the lead: trial_ends_on - 2 days at 09:00, monday 09:00, 10:00.")
        SettingsField(
            "wait_for", \.waitFor, .list(of: .locatedText),
            "Wait for this event of the lead, or for the first of several: [demo.booked, mail.replied].")
        SettingsField(
            "where", \.waitCondition, optional: .sql, "Beside wait_for: a SQL expression over the event and the lead.")
        SettingsField("at_most", \.atMost, optional: .span, "Beside wait_for: go on after so long without it.")
        SettingsField("mail", \.mail, optional: .locatedText, "Send this mail.")
        SettingsField(
            "within", \.within, optional: .span,
            "Beside mail: how long after its step it is worth sending; what could not go by then is dropped.")
        SettingsField("task", \.task, optional: .record(), "Something a person is to do.")
        SettingsField("webhook", \.webhook, optional: .locatedText, "Call this webhook of the config.")
        SettingsField(
            "if", \.condition, optional: .sql,
            "A SQL expression over the columns of the lead; heard is the event that ended the last wait_for, NULL where its time was up."
        )
        SettingsField("then", \.then, .list(of: .record()), "Steps where it holds, or where the event came.")
        SettingsField("else", \.otherwise, .list(of: .record()), "Steps where it does not, or where the time was up.")
        SettingsField("test", \.test, optional: .record(), "Send one of several mails, and learn which does best.")
        SettingsField(
            "set", \.set, .named("a mapping of columns", of: .locatedValue),
            "Columns of the lead to set, each to a fixed value that the column takes; null empties one.")
        SettingsField("enter", \.enter, optional: .locatedText, "Bring the lead into another sequence too.")
        SettingsField(
            "exit", \.exit, optional: .locatedTextOrFlag, "End this sequence here (true), or another one (its name).")
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        let given = [
            wait != nil, waitUntil != nil, !waitFor.isEmpty, mail != nil, task != nil, webhook != nil, condition != nil,
            test != nil, !set.isEmpty, enter != nil, exit != nil,
        ].count { $0 }
        if given != 1 {
            return [
                ConfigProblem(
                    "a step is one of wait, wait_until, wait_for, mail, task, webhook, if, test, set, enter or exit; this one has \(given) of them.",
                    at: place)
            ]
        }
        if condition == nil, waitFor.isEmpty, !then.isEmpty || !otherwise.isEmpty {
            return [ConfigProblem("then and else belong beside an if or a wait_for.", at: place)]
        }
        if waitFor.isEmpty, atMost != nil || waitCondition != nil {
            return [ConfigProblem("where and at_most belong beside a wait_for.", at: place)]
        }
        if let within {
            if mail == nil { return [ConfigProblem("within belongs beside a mail.", at: place)] }
            if within.seconds == 0 {
                return [ConfigProblem("within no time at all no mail can go. Say how long, such as 2 days.", at: place)]
            }
        }
        if !waitFor.isEmpty, atMost == nil, !otherwise.isEmpty {
            return [ConfigProblem("else is what happens when the time is up: say at_most.", at: place)]
        }
        for (index, kind) in waitFor.enumerated()
        where waitFor.prefix(index).contains(where: { $0.value == kind.value }) {
            return [ConfigProblem("'\(kind.value)' is waited for twice. Name each event once.", at: kind.place)]
        }
        return []
    }
}

/// `test:` one of several mails for each lead, and what decides which is best.
public struct TestSettings: SettingsRecord {
    public var name: String?
    public var mails: [Named<Double>] = []
    public var holdout = 0.0
    public var optimise = Outcome.goal
    public var within = Span.days(14)
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "name", \.name, optional: .text, "What the test is called; its place in the sequence without one.")
        SettingsField.required(
            "mails", \.mails, .named("a mapping of mails and their weights", of: .number(0...1_000_000)),
            "The mails with their weights at the beginning.")
        SettingsField("holdout", \.holdout, .percent, "The share of leads who get none, to compare with: 10%.")
        SettingsField(
            "optimise", \.optimise, .choice(),
            "What counts as success: goal (of the sequence), clicks, opens or replies.")
        SettingsField("within", \.within, .span, "How soon after the mail it must come to count.")
    }

    /// What a test is optimised towards.
    public enum Outcome: String, Sendable, CaseIterable, Codable {
        case goal, clicks, opens, replies
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        if mails.count < 2 { return [ConfigProblem("a test compares at least two mails.", at: place)] }
        if mails.allSatisfy({ $0.value == 0 }) {
            return [ConfigProblem("at least one mail must have a weight above 0.", at: place)]
        }
        return []
    }
}

extension SettingType where Value == Double {
    /// `10%`, as a share from 0 to 0.9.
    static var percent: SettingType {
        .parsed("a percentage from 0% to 90%") { text in
            guard text.hasSuffix("%"), let number = Double(text.dropLast()), (0...90).contains(number) else {
                return nil
            }
            return number / 100
        }
    }
}
