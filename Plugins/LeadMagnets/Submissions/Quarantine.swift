import Foundation
import TrellisKernel

/// Forms that look like no person's: kept 30 days, and taken in where somebody of the house says so. Leads of ad
/// platforms were paid for: they are kept until somebody decides.
enum Quarantine {
    static let daysKept = 30

    struct Held: Sendable {
        let magnet: String
        var reasons: [String]
        let fields: WebFields
        let page: String?
        let referrer: String?
        let proof: ConsentProof

        /// A field of a program may be as long as a body.
        static let valueLengthMax = 1000

        func with(reason: String) -> Held {
            var held = self
            held.reasons = [reason]
            return held
        }

        func insert(_ tx: Transaction) throws {
            try Quarantine.empty(tx)
            let typed = fields.pairs.filter { $0.name != FormToken.field }.map {
                ($0.name, JSONValue.string(String($0.value.prefix(Held.valueLengthMax))))
            }
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO magnets_quarantine (magnet, reasons, email, fields, page, referrer, network, agent, at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                magnet, reasons.joined(separator: ", "), fields["email"].map { String($0.prefix(320)) },
                JSONValue.object(typed).text(), page.map { String($0.prefix(Held.valueLengthMax)) },
                referrer.map { String($0.prefix(Held.valueLengthMax)) }, proof.network, proof.agent, tx.stamp,
            ])
        }
    }

    /// What was held for long enough goes, but for leads of ad platforms, known by what ``AdForms`` writes as their
    /// agent.
    static func empty(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM magnets_quarantine AS q WHERE q.at < datetime(?, '-\(daysKept) days') AND NOT (
                    q.released_at IS NULL AND EXISTS (
                        SELECT 1 FROM magnets_platform_leads AS p
                        WHERE p.platform = substr(q.agent, 1, instr(q.agent, ' lead form, lead ') - 1)
                          AND p.platform_id = substr(q.agent, instr(q.agent, ' lead form, lead ') + length(' lead form, lead '))))
                """
        ).execute(arguments: [tx.stamp])
    }

    /// What became of a form that was taken in.
    struct Released {
        let lead: Int64
        let isTicked: Bool
        /// What no column took, by the column.
        let leftOut: [FieldProblem]
    }

    /// Takes a held form in as if it had passed. Its consents count only once they are confirmed by mail, because
    /// nobody knows who ticked the boxes. What its column does not take is left out, but for the address, without which
    /// nothing reaches them.
    ///
    /// - Parameter right: values in place of those that were typed, by column; an empty one leaves the column out.
    /// - Throws: ``FieldProblem`` for a value among `right` that its column does not take, and
    ///   ``KernelError/data(_:)``.
    static func release(
        _ id: Int64, right: [(name: String, text: String)] = [], magnets: [Named<MagnetSettings.Magnet>],
        _ kernel: Kernel
    ) throws -> Released {
        try kernel.write(origin: "cli") { tx in
            guard
                let row = try Row.fetchOne(
                    tx.db, sql: "SELECT * FROM magnets_quarantine WHERE id = ? AND released_at IS NULL", arguments: [id]
                )
            else { throw KernelError.data("There is no held form \(id). 'trellis magnets quarantine' lists them.") }
            let (name, typed) = (row["magnet"] as String, JSONValue(parsing: row["fields"]) ?? .null)
            guard let magnet = magnets.first(where: { $0.name == name })?.value else {
                throw KernelError.data("The magnet '\(name)' of this form is no longer in the config.")
            }
            var draft = kernel.draft()
            for value in right { try draft.set(value.name, text: TextCleaning.line(value.text)) }
            // What the form asks, and what an ad platform asked in its place.
            let names = magnet.form.fields.map(\.name.value) + magnet.form.more.map(\.value)
            let asked = typed.names.filter { draft.has($0) && !names.contains($0) }
            // Platforms write numbers and days as programs do, people as the language of the form does.
            let isOfPerson = (row["agent"] as String?)?.contains(AdForms.agentMark) != true
            let words = isOfPerson ? MagnetWords.of(kernel.config, magnet.language?.value) : nil
            let righted = right.map(\.name)
            let leftOut = try draft.take(
                (names + asked).filter { !righted.contains($0) }.map { ($0, typed[$0]?.scalarText ?? "") },
                written: words, righted: righted, ofHeld: id)
            draft.asked = Set(asked + righted)
            for consent in magnet.form.consent
            where typed[OfferForm.prefix + consent.name]?.scalarText.map(OfferForm.isYes) == true {
                draft.consents[consent.name] = true
                draft.consentTexts[consent.name] = typed[AdForms.questionMark + consent.name]?.scalarText
            }
            draft.form = name
            draft.awaitsConfirmation = true
            draft.proof = ConsentProof(page: row["page"], network: row["network"], agent: row["agent"])
            draft.arrive(
                Arrival(landingPage: row["page"], referrer: row["referrer"]), kind: "form",
                rules: kernel.config.site.leads.channels)
            let leadID = try tx.capture(draft).leadID
            try tx.db.execute(
                sql: "UPDATE magnets_quarantine SET released_at = ?, lead_id = ? WHERE id = ?",
                arguments: [tx.stamp, leadID, id])
            return Released(lead: leadID, isTicked: !draft.consents.isEmpty, leftOut: leftOut)
        }
    }

    /// What was typed into a form that is held, or was taken in and is still here; and what there is to know of it.
    static func typed(_ id: Int64, _ kernel: Kernel) throws -> (Table, note: String) {
        try kernel.read { db in
            guard
                let row = try Row.fetchOne(
                    db, sql: "SELECT magnet, at, reasons, lead_id FROM magnets_quarantine WHERE id = ?", arguments: [id]
                )
            else { throw KernelError.data("There is no held form \(id). 'trellis magnets quarantine' lists them.") }
            let table = Table(
                columns: ["field", "typed"],
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT f.key AS field, f.value AS typed FROM magnets_quarantine AS q, json_each(q.fields) AS f WHERE q.id = ?
                        """, arguments: [id]))
            let held =
                "A form of '\(row["magnet"] as String)' of \(row["at"] as String), held because: \(row["reasons"] as String)."
            if let lead: Int64 = row["lead_id"] { return (table, "\(held) It was taken in as lead \(lead).") }
            return (
                table,
                "\(held) 'trellis magnets release \(id)' takes it in, with field=value behind it for what is wrong."
            )
        }
    }

    static func discard(_ id: Int64, _ kernel: Kernel) throws {
        try kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: "DELETE FROM magnets_quarantine WHERE id = ? AND released_at IS NULL", arguments: [id])
            guard tx.db.changesCount == 1 else {
                throw KernelError.data("There is no held form \(id). 'trellis magnets quarantine' lists them.")
            }
        }
    }

    static func held(_ db: Database) throws -> Table {
        Table(
            columns: ["id", "at", "magnet", "email", "reasons"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, at, magnet, email, reasons FROM magnets_quarantine WHERE released_at IS NULL ORDER BY id DESC LIMIT 100
                    """))
    }
}

extension LeadDraft {
    /// Takes what was typed into a held form, and what no column takes not.
    ///
    /// - Parameter righted: the columns that somebody of the house wrote, which are not left out.
    /// - Returns: what was left out.
    /// - Throws: ``FieldProblem`` for one of those, ``KernelError/data(_:)`` where the lead would have no address.
    fileprivate mutating func take(
        _ typed: [(name: String, text: String)], written words: Words?, righted: [String], ofHeld id: Int64
    ) throws -> [FieldProblem] {
        var leftOut: [FieldProblem] = []
        do {
            for value in typed {
                let text = TextCleaning.line(value.text)
                do {
                    if let words {
                        try set(value.name, text: text, written: words)
                    } else {
                        try set(value.name, text: text)
                    }
                } catch let problem as FieldProblem where value.name != "email" {
                    leftOut.append(problem)
                }
            }
            do {
                try normalise()
            } catch let problem as FieldProblem where problem.field == "phone" && !righted.contains("phone") {
                self["phone"] = .null
                leftOut.append(problem)
                try normalise()
            }
        } catch let problem as FieldProblem where !righted.contains(problem.field) {
            throw KernelError.data(
                "\(problem). Write the right one: 'trellis magnets release \(id) email=name@example.org'. 'trellis magnets quarantine \(id)' shows what was typed."
            )
        }
        return leftOut
    }
}

/// What kinds of address one is, by the lists in `magnets_address_list` and by its letters.
enum AddressFlags {
    static func of(_ email: String, _ db: Database) throws -> Set<MagnetSettings.AddressFlag> {
        let parts = email.split(separator: "@", maxSplits: 1)
        guard let local = parts.first, let domain = parts.last else { return [] }
        let names = try String.fetchAll(
            db.cachedStatement(
                sql:
                    "SELECT kind FROM magnets_address_list WHERE value = CASE kind WHEN 'role' THEN :local ELSE :domain END"
            ),
            arguments: ["local": String(local), "domain": String(domain)])
        let flags = Set(names.compactMap(MagnetSettings.AddressFlag.init(rawValue:)))
        return MixedScript.parts(ofAddress: email).isEmpty ? flags : flags.union([.mixedScript])
    }
}
