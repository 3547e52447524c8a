/// Examines the hooks of the config: each statement is prepared against the real schema under rules, and every mistake
/// is named with its place.
struct HookCheck {
    let check: ConfigCheck
    let sandbox: HookSandbox
    /// Columns of `leads`.
    let leadColumns: [String]
    /// Tables the site or a plugin opens to SQL, besides those of the kernel.
    let openTables: Set<String>
    /// Whether a plugin that is on keeps tasks.
    let hasTaskDesk: Bool
    /// Tables and columns that nobody reads in SQL that others wrote: see ``Kernel/secrets``.
    let secrets: [String]

    /// Tables of the kernel that SQL may write.
    static let publicTables: Set<String> = [
        "leads", "contacts", "accounts", "opportunities", "touches", "spend", "consents", "suppressions",
    ]
    /// What the kernel keeps for itself.
    static let privateTables: Set<String> = ["kernel_context", "api_calls", "subscribers", "sqlite_sequence"]

    func examine(_ hook: Named<SQLHookSettings>) {
        let settings = hook.value
        if let filter = settings.filter {
            examineFilter(filter, settings)
            return
        }
        for kind in settings.on { check.kind(kind) }
        if let when = settings.when { for kind in settings.on { check.eventPredicate(when, kind: kind.value) } }
        if let sql = settings.sql { examineWriting(sql) }
        if let emission = settings.emit { examine(emission) }
        if let sending = settings.send { examine(sending) }
    }

    // MARK: - Events

    private func examineWriting(_ sql: LocatedText) {
        var rules = reading
        rules.writable = .only(HookCheck.publicTables.union(openTables))
        guard let statements = read(sql, rules, parameters: ["now"]) else { return }
        for statement in statements {
            if statement.isReadOnly {
                check.problem(
                    "a SELECT changes nothing here. Write its rows with INSERT or UPDATE, or give them to emit or send.",
                    at: sql.place)
            } else if !statement.columns.isEmpty {
                check.problem("RETURNING gives rows that nobody reads. Leave it out.", at: sql.place)
            }
            if statement.mayRollBack {
                check.problem(
                    "OR ROLLBACK would take back what others did in the same transaction. Write OR ABORT or OR IGNORE.",
                    at: sql.place)
            }
        }
    }

    private func examine(_ emission: SQLHookSettings.Emission) {
        let activities = check.kinds.values.filter(\.isActivity).map(\.kind)
        guard let declaration = check.kinds[emission.kind.value], declaration.isActivity else {
            check.problem(
                "'\(emission.kind.value)' is no activity of this config.\(NearMiss.hint(emission.kind.value, among: activities)) Declare it under activities:.",
                at: emission.kind.place)
            return
        }
        guard let columns = select(emission.sql) else { return }
        let known = ["lead_id", "event_id", "due_at"] + declaration.fields.map(\.name)
        for column in columns where !known.contains(column) {
            check.problem(
                "\(emission.kind.value) has no field '\(column)'.\(NearMiss.hint(column, among: known)) There are: \(known.joined(separator: ", ")).",
                at: emission.sql.place)
        }
    }

    private func examine(_ sending: SQLHookSettings.Sending) {
        guard let columns = select(sending.sql) else { return }
        if let webhook = sending.webhook { check.webhook(webhook) }
        if let mail = sending.mail { check.mail(mail, values: Set(columns)) }
        if let to = sending.to, MailAddress(parsing: to.value) == nil {
            check.problem("expected an address such as desk@acme.example, got '\(to.value)'.", at: to.place)
        }
        guard let task = sending.task else { return }
        check.line(task.text)
        if !hasTaskDesk {
            check.problem(
                "no plugin that is on keeps tasks. Switch one on under plugins:, or send a mail.", at: task.text.place)
        }
        for column in columns where !["lead_id", "event_id", "due_at"].contains(column) {
            check.problem(
                "a task takes nothing from '\(column)'. There are: lead_id, event_id, due_at; the text may name columns of the lead.",
                at: sending.sql.place)
        }
    }

    /// The columns of one SELECT with a column `lead_id`.
    private func select(_ sql: LocatedText) -> [String]? {
        guard let columns = selected(sql, parameters: ["now"]) else { return nil }
        guard columns.contains("lead_id") else {
            check.problem(
                "the SELECT must have a column 'lead_id'; it has \(columns.joined(separator: ", ")).", at: sql.place)
            return nil
        }
        return columns
    }

    // MARK: - Drafts

    private func examineFilter(_ filter: SQLHookSettings.FilteredDraft, _ settings: SQLHookSettings) {
        let draft = filter.draft
        let columns = draft.hasLeadColumns ? leadColumns : []
        let fields = columns + draft.fields
        if let sql = settings.sql { _ = selected(sql, parameters: fields + ["now"]) }
        guard let set = settings.set, let given = selected(set, parameters: fields + ["now"]),
            let changeable = draft.changeable.map({ columns + $0 })
        else { return }
        for column in given where !changeable.contains(column) {
            check.problem(
                changeable.isEmpty
                    ? "nothing of it can be changed, only refused: use sql."
                    : "'\(column)' cannot be changed.\(NearMiss.hint(column, among: changeable)) There are: \(changeable.joined(separator: ", ")).",
                at: set.place)
        }
    }

    // MARK: - Statements

    private var reading: StatementRules {
        var rules = StatementRules()
        rules.readable = .allBut(HookCheck.privateTables.union(secrets.filter { !$0.contains(".") }))
        rules.functions = .only(StatementRules.harmlessFunctions)
        rules.notesReading = true
        return rules
    }

    /// The columns of one SELECT.
    private func selected(_ sql: LocatedText, parameters: [String]) -> [String]? {
        guard let statements = read(sql, reading, parameters: parameters) else { return nil }
        guard let only = statements.first, statements.count == 1, only.isReadOnly, !only.columns.isEmpty else {
            check.problem("one SELECT is needed here.", at: sql.place)
            return nil
        }
        return only.columns
    }

    private func read(
        _ sql: LocatedText, _ rules: StatementRules, parameters: [String]
    ) -> [HookSandbox.Statement]? {
        do {
            let results = try sandbox.statements(sql, rules)
            let faults = results.compactMap { result in if case .failure(let fault) = result { fault } else { nil } }
            for fault in faults {
                check.problem(
                    fault.message + check.advice(onMissing: fault.message),
                    at: sql.place.of(byte: fault.offset ?? -1, in: sql.value))
            }
            guard faults.isEmpty else { return nil }
            check.notePaused(in: sql)
            let statements = results.compactMap { try? $0.get() }
            for secret in Set(statements.flatMap(\.reads)).intersection(secrets).sorted() {
                check.problem("The column \(secret) may not be read here.", at: sql.place)
            }
            let all = parameters.map { ":\($0)" }.joined(separator: ", ")
            for name in Set(statements.flatMap(\.parameters)).subtracting(parameters).sorted() {
                check.problem(
                    name.isEmpty
                        ? "parameters need names, such as :now."
                        : "there is no parameter :\(name) here.\(NearMiss.hint(name, among: parameters)) There are: \(all).",
                    at: sql.place)
            }
            return statements
        } catch let fault as HookSandbox.Fault {
            check.problem(fault.message, at: sql.place)
        } catch {
            check.problem("\(error)", at: sql.place)
        }
        return nil
    }
}
