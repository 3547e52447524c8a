import Foundation
import TrellisKernel

/// Unsubscribing and the preference centre, on sealed links that never expire. A GET changes nothing: mail scanners
/// follow every link.
enum Leaving {
    static var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/unsubscribe/:token") { request in
                try Member(request, purpose: "unsubscribe").asking()
            },
            Endpoint(.post, "/unsubscribe/:token", leave),
            Endpoint(.get, "/preferences/:token") { request in
                try .page(
                    "preferences",
                    Member(request, purpose: "preferences").preferencesPage(isSaved: request.query["saved"] != nil))
            },
            Endpoint(.post, "/preferences/:token", setPreferences),
        ]
    }

    /// The button on the page, and the one-click POST of a mail program, which comes without cookies, follows no
    /// redirect, and may be repeated (RFC 8058, section 3.2). Its body is `List-Unsubscribe=One-Click`; the button is
    /// known by the address of its form, so that a template of the site's own has it too. Any other POST gets the page
    /// that asks, and changes nothing.
    private static func leave(_ request: WebRequest) async throws -> WebReply {
        let member = try Member(request, purpose: "unsubscribe")
        if request.fields["undo"] != nil {
            try await request.kernel.writeTogether(origin: "form:preferences") { tx in try tx.comeBack(member.out) }
            return try .see(member.path("preferences") + "?saved=1")
        }
        let isOneClick = request.fields["List-Unsubscribe"] == "One-Click"
        guard isOneClick || request.query["leave"] != nil else { return try member.asking() }
        let mayUndo = try await request.kernel.writeTogether(origin: "form:unsubscribe") { tx in
            try tx.leave(member.out)
            return try tx.canComeBack(member.out)
        }
        if isOneClick { return .text(member.words("left_plain") + "\n") }
        return try .page("left", member.leftPage(mayUndo: mayUndo))
    }

    private static func setPreferences(_ request: WebRequest) async throws -> WebReply {
        let member = try Member(request, purpose: "preferences")
        let wanted = Set(
            request.fields.pairs.compactMap { $0.name.hasPrefix("consent_") ? String($0.name.dropFirst(8)) : nil })
        let proof = request.proof()
        if request.fields["leave"] != nil {
            let mayUndo = try await request.kernel.writeTogether(origin: "form:preferences") { tx in
                try tx.leave(member.out)
                return try tx.canComeBack(member.out)
            }
            return try .page("left", member.leftPage(mayUndo: mayUndo))
        }
        try await request.kernel.writeTogether(origin: "form:preferences") { tx in
            try member.set(wanted, proof: proof, tx)
        }
        return .see(request.path + "?saved=1")
    }
}

/// The lead a sealed link is about. Once they are erased the link still works, and does nothing.
private struct Member {
    let kernel: Kernel
    /// The lead, and the list where the link is about one alone.
    let out: WayOut
    let email: String?
    /// In the language of the lead.
    let words: Words

    init(_ request: WebRequest, purpose: String) throws {
        kernel = request.kernel
        guard let sealed = WayOut(try kernel.open(request["token"], purpose: purpose)) else {
            throw WebProblem.notFound
        }
        let leadID: Int64
        (leadID, email) = try kernel.lead(ofLink: sealed.leadID)
        out = WayOut(leadID: leadID, list: sealed.list)
        words = kernel.config.lexicon.words(for: try Member.language(leadID, kernel))
    }

    /// That of the lead's own column, where somebody wrote words for it; then that of the form they filled in last;
    /// then that of the site.
    private static func language(_ leadID: Int64, _ kernel: Kernel) throws -> String {
        let (own, form) = try kernel.read { db in
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT (SELECT language FROM leads WHERE id = :lead),
                               (SELECT CAST(json_extract(body, '$.form') AS TEXT) FROM events
                                WHERE lead_id = :lead AND +kind = 'form.submitted' ORDER BY id DESC LIMIT 1)
                        """), arguments: ["lead": leadID])
            return (row?[0] as String?, row?[1] as String?)
        }
        if let own = own.flatMap(LanguageTag.canonical), kernel.config.lexicon.has(own) { return own }
        let ofForm = form.flatMap { form in kernel.plugins.lazy.compactMap { $0.formLanguages[form] }.first }
        return ofForm ?? kernel.config.site.site.language
    }

    private var leadID: Int64 { out.leadID }

    /// The page of choices is about all of their mail.
    func path(_ purpose: String) throws -> String {
        let subject = purpose == "unsubscribe" ? out.subject : String(leadID)
        return "/\(purpose)/\(try kernel.signer.token(purpose: purpose, subject: subject))"
    }

    // MARK: - Pages

    /// The page with the button; to who is out already, that they are, with the way back.
    func asking() throws -> WebReply {
        let (isOut, isOff) = try kernel.read { db in (try hasLeft(db), try isOffList(db)) }
        guard isOut || isOff else { return .page("unsubscribe", try unsubscribePage()) }
        var values = try leftPage(mayUndo: false)
        if isOut { values["is_list"] = .flag(false) }
        return .page("left", values)
    }

    private func unsubscribePage() throws -> PageValues {
        var values: PageValues = [
            "title": .text(words("unsubscribe_title")), "language": .text(words.language), "is_private": true,
            "action": .text(try path("unsubscribe") + "?leave=yes"),
            "preferences_url": .text(try path("preferences")),
        ]
        values["address"] = .optional(email.map(MaskedAddress.of))
        if let list = out.list {
            let known = try kernel.read { try purposes($0) }.first { $0.name == list }
            values["list"] = .text(known?.text ?? list)
        }
        return values
    }

    /// - Parameter mayUndo: whether there is something to take back by the button.
    func leftPage(mayUndo: Bool) throws -> PageValues {
        var values: PageValues = [
            "title": .text(words("left_title")), "language": .text(words.language), "is_private": true,
            "preferences_url": .text(try path("preferences")), "is_list": .flag(out.list != nil),
        ]
        if mayUndo { values["undo_action"] = .text(try path("unsubscribe")) }
        return values
    }

    func preferencesPage(isSaved: Bool) throws -> PageValues {
        let (asked, isOut) = try kernel.read { db in (try purposes(db), try isSuppressed(db)) }
        var values: PageValues = [
            "title": .text(words("preferences_title")), "language": .text(words.language), "is_private": true,
            "saved": .flag(isSaved),
            "action": .text(try path("preferences")), "leave_action": .text(try path("preferences")),
            "is_suppressed": .flag(isOut),
            "purposes": .list(
                asked.map { purpose in
                    [
                        "name": .text("consent_\(purpose.name)"), "id": .text("consent_\(purpose.name)"),
                        "text": .text(purpose.text), "checked": .flag(purpose.isGranted && !isOut),
                    ]
                }),
        ]
        values["address"] = .optional(email.map(MaskedAddress.of))
        return values
    }

    /// The purposes the lead was ever asked about, with the sentence they saw last; that of the config where nobody
    /// wrote it down, as for who came by an import.
    private func purposes(_ db: Database) throws -> [(name: String, text: String, isGranted: Bool)] {
        let texts = kernel.plugins.reduce(into: [:]) { texts, plugin in
            texts.merge(plugin.consentTexts) { first, _ in first }
        }
        return try Row.fetchAll(
            db,
            sql: """
                SELECT purpose, state = 'granted' AS is_granted,
                       (SELECT text FROM consents WHERE lead_id = c.lead_id AND purpose = c.purpose AND text IS NOT NULL ORDER BY id DESC LIMIT 1) AS text
                FROM consents_now AS c WHERE lead_id = ? ORDER BY purpose
                """, arguments: [leadID]
        ).map { row in
            let name: String = row["purpose"]
            let text = (row["text"] as String?) ?? texts[name] ?? name.prefix(1).uppercased() + name.dropFirst()
            return (name, text, row["is_granted"])
        }
    }

    private func isSuppressed(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM suppressed_leads WHERE lead_id = ?)", arguments: [leadID]) ?? false
    }

    /// Whether they said themselves that they want no more.
    private func hasLeft(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM suppressions WHERE reason = 'unsubscribed'
                               AND id IN (SELECT suppression_id FROM suppressed_leads WHERE lead_id = ?))
                """, arguments: [leadID]) ?? false
    }

    /// Whether the link is about a list whose consent was taken back.
    private func isOffList(_ db: Database) throws -> Bool {
        guard let list = out.list else { return false }
        return try Bool.fetchOne(
            db,
            sql: "SELECT EXISTS (SELECT 1 FROM consents_now WHERE lead_id = ? AND purpose = ? AND state = 'withdrawn')",
            arguments: [leadID, list]) ?? false
    }

    // MARK: - Changes

    /// Grants and withdraws as the boxes say, with the sentence beside the box as its text. Who had left and ticks a
    /// box is back.
    func set(_ wanted: Set<String>, proof: ConsentProof, _ tx: Transaction) throws {
        let asked = try purposes(tx.db)
        // Who comes back agrees anew, and what shows it is a row of its own.
        let hasLeft = try hasLeft(tx.db)
        let changed = asked.filter { wanted.contains($0.name) != $0.isGranted || (hasLeft && wanted.contains($0.name)) }
        let list = JSONValue.array(
            changed.map {
                .object([
                    ("purpose", .string($0.name)), ("text", .string($0.text)),
                    ("state", .string(wanted.contains($0.name) ? "granted" : "withdrawn")),
                ])
            })
        try tx.db.execute(
            sql: """
                INSERT INTO consents (lead_id, purpose, state, text, source, page, network, agent, at)
                SELECT :lead, json_extract(value, '$.purpose'), json_extract(value, '$.state'), json_extract(value, '$.text'),
                       :origin, :page, :network, :agent, :now
                FROM json_each(:list) WHERE EXISTS (SELECT 1 FROM leads WHERE id = :lead)
                """,
            arguments: [
                "lead": leadID, "origin": tx.origin, "page": proof.page, "network": proof.network,
                "agent": proof.agent, "now": tx.stamp, "list": list.text(),
            ])
        if asked.contains(where: { wanted.contains($0.name) }) { try tx.comeBack(WayOut(leadID: leadID)) }
    }
}
