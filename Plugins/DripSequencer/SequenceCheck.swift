import TrellisKernel

/// What only the whole config can tell about a sequence: kinds of event, SQL, mails, columns, webhooks, other
/// sequences.
struct SequenceCheck {
    let settings: SequenceSettings
    /// That of the name of the sequence.
    let place: Place
    let check: ConfigCheck

    func run() {
        if let on = settings.enter.on {
            check.kind(on)
            if let condition = settings.enter.condition { check.eventPredicate(condition, kind: on.value) }
        }
        if let when = settings.enter.when { check.leadPredicate(when) }
        for exit in settings.exit {
            check.kind(exit.on)
            if let condition = exit.condition { check.eventPredicate(condition, kind: exit.on.value) }
        }
        if let goal = settings.goal { check.kind(goal) }
        run(settings.steps)
        tellTestsApart()
        noteOpenEnds()
    }

    /// Says of a sequence that mails which answers to its mails do not end it.
    private func noteOpenEnds() {
        guard SequenceCheck.sendsMail(settings.steps) else { return }
        let ends = settings.exit.map(\.on.value) + [settings.goal?.value].compactMap { $0 }
        // Bounces and complaints suppress the address, which is a lead.unsubscribed as well.
        let hearsAll = settings.exit.contains { $0.on.value == "lead.unsubscribed" && $0.condition == nil }
        let answers = [
            ("a reply", "mail.replied", "mail.replied", false),
            ("a hard bounce", "mail.bounced", "{on: mail.bounced, where: \"class = 'hard'\"}", hearsAll),
            ("a complaint", "mail.complained", "mail.complained", hearsAll),
            ("unsubscribing", "lead.unsubscribed", "lead.unsubscribed", false),
        ]
        let missing = answers.filter { !ends.contains($0.1) && !$0.3 }
        guard let last = missing.last?.0 else { return }
        let named = missing.dropLast().map(\.0).joined(separator: ", ")
        let line = (settings.exit.map(\.written) + missing.map(\.2)).joined(separator: ", ")
        check.note(
            "it goes on after \(named.isEmpty ? last : "\(named) and \(last)"). To end it there as well: exit: [\(line)]",
            at: place)
    }

    private static func sendsMail(_ steps: [StepSettings]) -> Bool {
        steps.contains { $0.mail != nil || $0.test != nil || sendsMail($0.then) || sendsMail($0.otherwise) }
    }

    /// Who has an arm of a test keeps it: a second one of the same name would mail nobody.
    private func tellTestsApart() {
        var names: Set<String> = []
        for test in SequenceCheck.tests(settings.steps) {
            guard let name = test.name, !names.insert(name).inserted, let place = test.mails.first?.place else {
                continue
            }
            check.problem(
                "there are two tests called '\(name)' in this sequence. Give each a name of its own.", at: place)
        }
    }

    private static func tests(_ steps: [StepSettings]) -> [TestSettings] {
        steps.flatMap { step in (step.test.map { [$0] } ?? []) + tests(step.then) + tests(step.otherwise) }
    }

    /// The mails may name what the event says that brought the lead in.
    private var entryFields: Set<String> {
        Set(settings.enter.on.flatMap { check.kinds[$0.value] }?.fields.map(\.name) ?? [])
    }

    private func run(_ steps: [StepSettings]) {
        for step in steps {
            if let mail = step.mail { check.mail(mail, values: entryFields) }
            for mail in step.test?.mails ?? [] {
                check.mail(Located(mail.name, at: mail.place), values: entryFields)
            }
            if let condition = step.condition { check.leadPredicate(condition, beside: ["heard"]) }
            for kind in step.waitFor {
                check.kind(kind)
                if let condition = step.waitCondition { check.eventPredicate(condition, kind: kind.value) }
            }
            for column in step.set {
                let isNull = StepSettings.isNull(column.value.value)
                check.leadValue(isNull ? nil : column.value, in: Located(column.name, at: column.place))
            }
            if let webhook = step.webhook { check.webhook(webhook) }
            if let task = step.task { check.line(task.text) }
            if case .column(let column, _, _)? = step.waitUntil?.value, let place = step.waitUntil?.place {
                check.leadColumn(Located(column, at: place))
            }
            for name in [step.enter, step.exit].compactMap({ $0 }) where !StepSettings.isThisSequence(name.value) {
                check.name(name, of: "sequence")
            }
            if let test = step.test, test.optimise == .goal, settings.goal == nil, let place = test.mails.first?.place {
                check.problem(
                    "the test is to find what leads to the goal, and the sequence has none. Add goal: to it, or say optimise: clicks.",
                    at: place)
            }
            run(step.then + step.otherwise)
        }
    }
}
