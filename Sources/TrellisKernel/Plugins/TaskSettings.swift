/// `task:` of a sequence or a hook: something a person is to do for a lead.
public struct TaskSettings: SettingsRecord {
    public var to = "owner"
    public var kind = "call"
    public var text = Located("")
    public var due = Span.days(1)
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("to", \.to, .text, "Who does it: owner (the rep who has the lead), or a name.")
        SettingsField("kind", \.kind, .text, "What it is: call, linkedin.connect, linkedin.message, mail, …")
        SettingsField.required(
            "text", \.text, .locatedText, "What to do, with the variables of a mail: Ring {{first_name|them}}.")
        SettingsField("due", \.due, .span, "How long there is for it.")
    }
}
