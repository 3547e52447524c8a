/// Whether a program answered, and not a person: such a mail says nothing about the lead.
///
/// Source: RFC 3834 for `Auto-Submitted`; the other headers are those that older programs put there instead.
enum AutomaticReply {
    static func isOne(_ headers: MailHeaders) -> Bool {
        if let submitted = headers["auto-submitted"], MailHeaders.word(submitted) != "no" { return true }
        if marks.contains(where: { headers[$0] != nil }) { return true }
        let precedence = headers["precedence"].map(MailHeaders.word)
        if precedence == "auto_reply" { return true }
        // The empty return path of what must not be answered: RFC 5321 section 4.5.5.
        if headers["return-path"] == "<>" { return true }
        let subject = MailDecoding.words(headers["subject"] ?? "").lowercased()
        if openings.contains(where: { subject.hasPrefix($0) }) { return true }
        return ["bulk", "junk"].contains(precedence) && wordings.contains { subject.contains($0) }
    }

    private static let marks = [
        "x-autoreply", "x-autorespond", "x-auto-reply", "x-autoresponse", "x-autoresponder", "x-mail-autoreply",
        "x-autoreply-from", "x-vacation", "x-ms-exchange-inbox-rules-loop",
    ]

    /// What Exchange, Outlook and Google put before the subject of an absence, by the language of the mailbox.
    private static let openings = [
        "automatic reply:", "auto reply:", "autoreply:", "auto-reply:", "out of office:", "out of the office:",
        "automatische antwort:", "abwesenheitsnotiz:", "abwesend:", "réponse automatique", "absence du bureau",
        "respuesta automática", "fuera de la oficina", "risposta automatica:", "fuori sede:", "resposta automática",
        "ausência temporária", "automatisch antwoord:", "afwezig:", "autosvar:", "automatiskt svar:",
        "automatisk svar:", "automaattinen vastaus:", "odpowiedź automatyczna:", "autoodpowiedź:",
        "automatická odpověď:", "automatikus válasz:", "автоматический ответ:", "自动答复", "自動回覆", "自動応答:",
        "자동 회신:", "otomatik yanıt:", "răspuns automat:",
    ]

    /// What may stand anywhere in the subject of a mail that calls itself bulk.
    private static let wordings = [
        "out of office", "out of the office", "vacation", "holiday", "away from", "auto", "abwesen", "urlaub",
        "absence", "absent", "vacances", "ausente", "vacaciones", "assente", "ferie", "férias", "afwezig", "vakantie",
        "semester", "ferien", "urlop", "отпуск",
    ]
}
