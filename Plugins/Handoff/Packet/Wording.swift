import TrellisKernel

/// What happened to a lead, in the words a rep would use. Kinds that stand here in no sentence are told by their name:
/// `demo.booked` is "demo booked".
struct Wording {
    let kind: String
    let body: JSONValue?

    private static let sentences: [String: String] = [
        "lead.created": "came in",
        "lead.restored": "was restored from the trash",
        "lead.stage_changed": "went from {from} to {to}",
        "lead.recycled": "came back after a rest",
        "lead.converted": "became a contact with an opportunity",
        "lead.unsubscribed": "unsubscribed",
        "lead.contacted": "was talked to",
        "lead.referred": "brought in somebody else",
        "form.submitted": "filled in the form {form}",
        "form.confirmed": "confirmed the form {form}",
        "asset.downloaded": "downloaded {magnet}",
        "webinar.registered": "registered for the webinar {webinar}",
        "webinar.attended": "attended the webinar {webinar}",
        "webinar.missed": "missed the webinar {webinar}",
        "trial.started": "started the trial {magnet}",
        "consent.requested": "was asked for consent to {purpose}",
        "consent.granted": "agreed to {purpose}",
        "consent.withdrawn": "withdrew the consent to {purpose}",
        "mail.sent": "was sent the mail {mail}",
        "mail.opened": "opened the mail {mail}",
        "mail.clicked": "clicked in the mail {mail}",
        "mail.replied": "answered the mail {mail}",
        "mail.bounced": "could not be reached by the mail {mail}",
        "mail.complained": "called the mail {mail} spam",
        "drip.completed": "finished the sequence {sequence}",
        "task.done": "had a task done: {task_kind}",
        "handoff.offered": "was offered to {rep}",
        "handoff.queued": "waited for a rep",
        "handoff.accepted": "was accepted by {rep}",
        "handoff.escalated": "was escalated",
        "handoff.expired": "was taken back from {rep}",
        "handoff.rejected": "was given back by {rep}",
        "handoff.recycled": "went to rest",
        "handoff.converted": "was converted by {rep}",
        "handoff.won": "was won",
        "handoff.lost": "was lost",
    ]

    /// Events that tell a rep nothing, and the rounds a lead made among reps, which the briefing tells in a sentence.
    static let silent = [
        "lead.updated", "handoff.offered", "handoff.queued", "handoff.escalated", "handoff.expired",
        "handoff.clock_due", "handoff.recycle_due", "handoff.absence_due", "handoff.withdrawn",
        "drip.recheck",
        "opportunity.updated",
        "opportunity.created", "opportunity.stage_changed", "magnets.lapse_due", "magnets.no_show_due",
        "mail.hits_gathered",
    ]

    /// A time as people write it, to the minute; everything else as it is.
    private static func told(_ text: String) -> String {
        let isTime = text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?/) != nil
        return isTime ? String(text.prefix(16)) : text
    }

    /// What is longer is no word of a kind.
    private static let saidMax = 60

    /// `downloaded sales-plan`.
    var text: String {
        guard let sentence = Wording.sentences[kind] else {
            let name = kind.split { ".|_".contains($0) }.joined(separator: " ")
            guard case .object(let entries) = body else { return name }
            let said = entries.compactMap { $0.value.scalarText }.filter {
                !$0.isEmpty && $0.unicodeScalars.count <= Wording.saidMax
            }.map(Wording.told)
            return said.isEmpty ? name : "\(name) (\(said.joined(separator: ", ")))"
        }
        return sentence.split(separator: " ").compactMap { word -> String? in
            guard word.hasPrefix("{") else { return String(word) }
            let key = word.dropFirst().prefix { $0 != "}" }
            return body?[String(key)]?.scalarText
        }.joined(separator: " ")
    }
}
