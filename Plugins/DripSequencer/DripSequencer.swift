import Foundation
import TrellisKernel

/// Leads leads through sequences of mails, tasks and waits: brought in by an event or a predicate, taken further when a
/// wait is over, let go by another event.
public struct DripSequencer: Plugin {
    public static let name = "drip"
    public static let summary = "Sequences of mails, tasks and waits, begun and ended by events."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static var views: [ViewFile] { EmbeddedViews.files }
    public static let events = [
        EventDeclaration("drip.due", says: "sequences were due"),
        EventDeclaration("drip.recheck", ["sequence": .text], says: "the sequence {sequence} was due to be looked at"),
        EventDeclaration(
            "drip.judgement_due", ["sequence": .text, "test": .text],
            says: "the test {test} of {sequence} was due to be judged"),
        EventDeclaration("drip.invited", ["sequence": .text], says: "was put into the sequence {sequence}"),
        EventDeclaration("drip.dismissed", ["sequence": .text], says: "was taken out of the sequence {sequence}"),
        EventDeclaration(
            "drip.kept_out", ["sequence": .text, "by": .text], says: "was kept out of the sequence {sequence}[ by {by}]"
        ),
        EventDeclaration(
            "drip.paused", ["sequence": .text, "by": .text], says: "the sequence {sequence} was paused[ by {by}]"),
        EventDeclaration(
            "drip.resumed", ["sequence": .text, "by": .text], says: "the sequence {sequence} was resumed[ by {by}]"),
        EventDeclaration("drip.completed", ["sequence": .text], says: "completed the sequence {sequence}"),
        EventDeclaration(
            "task.created", ["task": .integer, "task_kind": .text], says: "task {task} was given: {task_kind}"),
        EventDeclaration(
            "task.done", ["task": .integer, "task_kind": .text, "outcome": .text],
            says: "task {task} was done: {task_kind}[, {outcome}]"),
        EventDeclaration(
            "task.skipped", ["task": .integer, "task_kind": .text], says: "task {task} was skipped: {task_kind}"),
    ]
    public static var cardColumns: KeyValuePairs<String, String> {
        [
            "sequence":
                "SELECT group_concat(sequence, ', ') FROM drip_enrolments WHERE lead_id = leads.id AND state = 'active'"
        ]
    }
    /// The words of an error may carry a value of the lead.
    public static let personal = ["drip_enrolments.failure", "drip_missed.error"]
    public static let invariants = [
        Invariant(
            "a lead is in a sequence once at a time",
            violations:
                "SELECT lead_id, sequence FROM drip_enrolments WHERE state = 'active' GROUP BY lead_id, sequence HAVING count(*) > 1"
        ),
        Invariant(
            "cycles are counted without a gap",
            violations:
                "SELECT lead_id, sequence FROM drip_enrolments GROUP BY lead_id, sequence HAVING max(cycle) <> count(*)"
        ),
        Invariant(
            "whoever is under way is so in a version that is kept",
            violations: """
                SELECT e.lead_id, e.sequence, e.version FROM drip_enrolments AS e
                WHERE e.state = 'active' AND EXISTS (SELECT 1 FROM drip_versions AS v WHERE v.sequence = e.sequence)
                  AND NOT EXISTS (SELECT 1 FROM drip_versions AS v WHERE v.sequence = e.sequence AND v.version = e.version)
                """),
        Invariant(
            "a sequence that is over leaves no task open",
            violations: """
                SELECT t.id FROM drip_tasks AS t JOIN drip_enrolments AS e ON e.id = t.enrolment_id
                WHERE t.state = 'open' AND e.state IN ('exited', 'goal')
                """),
        Invariant(
            "a step fails only for who is under way",
            violations: "SELECT lead_id, sequence FROM drip_enrolments WHERE failures > 0 AND state <> 'active'"),
    ]

    public static let definedNames = [
        DefinedNames<DripSettings>("sequence", under: "sequences") { $0.sequences.map(\.name) }
    ]

    let settings: DripSettings
    /// The one of higher priority first: it takes a lead before the others of its group are asked.
    let sequences: [RunningSequence]

    public init(settings: DripSettings) {
        self.settings = settings
        let all = settings.sequences.map(RunningSequence.init)
        sequences = all.enumerated().sorted {
            ($1.element.settings.priority, $0.offset) < ($0.element.settings.priority, $1.offset)
        }.map(\.element)
    }

    public func check(_ check: ConfigCheck) {
        for sequence in settings.sequences {
            SequenceCheck(settings: sequence.value, place: sequence.place, check: check).run()
            if let list = sequence.value.list { check.list(Located(list, at: sequence.place)) }
        }
    }

    /// Takes up a changed config, lets those go whose sequence is gone, and notes who matches a predicate already.
    public func begin(since: Date?, _ tx: Transaction) throws {
        try Departure.endForRemovedSequences(keeping: sequences.map(\.name), tx)
        // Before some of them move to steps that were mended.
        if try tx.isClockTrusted { try FailingSteps.retry(tx) }
        let editions = editions(tx.db)
        let current = try editions.adopt(tx)
        for edition in current {
            guard let predicate = edition.sequence.settings.enter.when else { continue }
            try Watch(edition: edition, sequences: sequences, predicate: predicate.value, tx: tx).begin()
        }
        try Pauses.forget(keeping: sequences.map(\.name), tx)
        let running = try editions.inUse(current)
        let pauses = Pauses(sequences: sequences, settings: settings, tx: tx)
        if let since { try pauses.stretch(to: since) }
        try pauses.adopt(since: since, running)
    }

    /// Settles what came due while nobody worked, and ends the pauses that nobody could end meanwhile.
    public func catchUp(since: Date, _ tx: Transaction) throws {
        let editions = editions(tx.db)
        let running = try editions.inUse(editions.adopt(tx))
        try ClockJumps(since: since, tx: tx).setRight(running, settings)
        let pauses = Pauses(sequences: sequences, settings: settings, tx: tx)
        try pauses.stretch(to: since)
        try pauses.adopt(running)
        try pauses.hear(running)
        let paused = try Pauses.open(tx.db)
        try Downtime(
            editions: running.filter { paused[$0.sequence.name] == nil }, settings: settings, since: since, tx: tx
        ).settle()
    }

    /// What waited while marketing mail was paused goes as the lateness of its sequence says.
    public func marketingResumes(since: Date, _ tx: Transaction) throws {
        let downtime = Downtime(editions: [], settings: settings, since: since, tx: tx)
        for sequence in sequences {
            try downtime.settle(paused: Pauses.messages(of: sequence.name), sequence.settings.late)
        }
    }

    @HookBuilder public var hooks: [any Hook] {
        Answer("plan", Plan.self, SequencePlan.changes)
        // A predicate over all leads may take its time.
        Subscribe("advance", to: kinds.sorted(), from: .nextEvent, budget: .seconds(60)) { _, tx in try advance(tx) }
        // By a subscriber of its own: a look that fails is undone, and the appointment of the next must not be.
        Subscribe("watch", to: ["drip.recheck"], from: .nextEvent) { _, tx in
            try Watch.appointNext(sequences, tx)
        }
        Filter("permit", MessageDraft.self, order: .late) { draft, tx in
            try Permission(settings: settings).ask(draft, tx)
        }
        Answer("card-line", LeadCard.self) { card, db in try Overview(sequences: sequences, db: db).card(card.leadID) }
        Answer("times", TemplateValues.self) { question, _ in
            settings.zone(ofKey: question.key).map { ["mail.timezone": $0] } ?? [:]
        }
        Answer("simulated-tasks", SimulatedActs.self) { _, _ in [SimulatedSequences.act] }
        Answer("simulated-sequences", SimulationReport.self) { try SimulatedSequences.sections($0, $1) }
        Answer("sequences", Report.self) { _, db in
            [ReportSection("Sequences", try Overview(sequences: sequences, db: db).counts())]
        }
    }

    private func advance(_ tx: Transaction) throws {
        let kinds = try tx.kindsInBatch()
        let editions = editions(tx.db)
        let current = try editions.adopt(tx)
        for edition in current {
            try MissedEvents(edition: edition, tx: tx).passBy(kinds) { edition in
                let departure = Departure(sequence: edition.sequence, tx: tx)
                // Who was in it may leave and come again in one batch; who comes now may leave in it too.
                try departure.end(kinds)
                try Entrance(edition: edition, sequences: sequences, tx: tx).enrol(kinds)
                try departure.end(kinds)
            }
        }
        try Entrance.keepOutOfUnknown(sequences.map(\.name), kinds, tx)
        if !kinds.isDisjoint(with: Departure.lostKinds) {
            try Departure.endForLostLeads(tx)
            try HookTasks.endForLostLeads(tx)
        }
        if kinds.contains("lead.merged") { try Departure.endForMergedLeads(tx) }
        let running = try editions.inUse(current)
        _ = try hear(kinds, running, tx)
        for edition in running {
            if kinds.contains("lead.updated") {
                try Rest(edition: edition, settings: settings, tx: tx).followDays()
            }
            for test in edition.program.tests {
                let experiment = Experiment(test: test, sequence: edition.sequence, tx: tx)
                try experiment.note(kinds)
                if kinds.contains("drip.judgement_due"), try experiment.isToBeJudged() { try experiment.judge() }
            }
        }
        let pauses = Pauses(sequences: sequences, settings: settings, tx: tx)
        try pauses.adopt(running)
        if kinds.contains(Pauses.Ended.kind) { try pauses.hear(running) }
        let tick = Tick(editions: running, settings: settings, tx: tx)
        try tick.run()
        // Who came to a wait just now may have been told in this very batch what it is for.
        while try hear(kinds, running, tx) { try tick.run() }
    }

    /// - Returns: whether it takes anybody on.
    private func hear(_ kinds: Set<String>, _ running: [Edition], _ tx: Transaction) throws -> Bool {
        var isAny = false
        for edition in running {
            try MissedEvents(edition: edition, tx: tx).passBy(kinds) { edition in
                isAny = try Rest(edition: edition, settings: settings, tx: tx).hear(kinds) || isAny
            }
        }
        return isAny
    }

    func editions(_ db: Database) -> Editions {
        Editions(sequences: sequences, settings: settings, kinds: kinds, db: db)
    }

    /// What begins and ends a sequence, what is waited for in one, a lead that goes, and the appointments.
    var kinds: Set<String> {
        let own: Set = ["drip.due", "drip.recheck", "drip.judgement_due", "drip.dismissed", Pauses.Ended.kind]
        return sequences.reduce(own.union(Departure.lostKinds).union(Entrance.invitations.map(\.0))) {
            $0.union($1.kinds)
        }
    }

    public var taskDesk: TaskDesk? { HookTasks.desk }
    public var apiEndpoints: [Endpoint] { TaskAPI.endpoints }
    public var commands: [Command] { SequenceCommands(plugin: self).all + TaskCommands().all }
}
