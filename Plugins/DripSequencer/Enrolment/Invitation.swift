import Foundation
import TrellisKernel

/// What becomes of a lead that somebody puts into a sequence by hand: the entry is not asked, but its rule of re-entry
/// is, and the other sequences of its group.
struct Invitation {
    let sequence: RunningSequence
    let sequences: [RunningSequence]
    let lead: Int64
    let tx: Transaction

    private var rivals: Rivals { Rivals(of: sequence, among: sequences) }

    /// What follows, once a worker comes to it.
    ///
    /// - Throws: ``KernelError/data(_:)`` with the reason where the lead will not enter.
    func consequence() throws -> String {
        if let reason = try obstacle() {
            throw KernelError.data("Lead \(lead) will not enter \(sequence.name): \(reason)")
        }
        var sentences = ["Lead \(lead) will enter \(sequence.name) once 'trellis work' or 'trellis serve' runs."]
        let left = try rivals.weakerSequences(of: lead, tx.db)
        if !left.isEmpty {
            sentences.append(
                "It will leave \(left.joined(separator: ", ")) then: \(sequence.name) goes before it in their group.")
        }
        if try sequence.settings.isPaused || Pauses.open(tx.db)[sequence.name] != nil {
            sentences.append("\(sequence.name) is paused: nothing of it is sent until it goes on.")
        }
        return sentences.joined(separator: " ")
    }

    private func obstacle() throws -> String? {
        if let stay = try stay() { return stay }
        guard let rival = try rivals.strongerSequence(of: lead, tx.db) else { return nil }
        return
            "it is in \(rival), which is of the same group and does not stand aside. "
            + "It may once a worker has let it out of that one: trellis sequences exit \(rival) \(lead)"
    }

    /// Why it may not come again, where it is in the sequence or was before.
    private func stay() throws -> String? {
        // Who was taken out by hand just now is not in it any more when a worker comes to this.
        let row = try Row.fetchOne(
            tx.db,
            sql: """
                SELECT max(entered_at) AS last_entered, max(ended_at) AS last_ended,
                       max(iif(state = 'active' AND NOT EXISTS (
                           SELECT 1 FROM events AS d WHERE d.lead_id = e.lead_id AND d.kind = 'drip.dismissed' AND d.id > e.event_id
                             AND json_extract(d.body, '$.sequence') = e.sequence), entered_at, NULL)) AS active_since
                FROM drip_enrolments AS e WHERE lead_id = ? AND sequence = ?
                """, arguments: [lead, sequence.name])
        guard let row, let entered: String = row["last_entered"] else { return nil }
        if let since: String = row["active_since"] { return "it is in it already, since \(since.prefix(10))." }
        switch sequence.settings.reentry {
        case .eachTime: return nil
        case .never:
            let end = (row["last_ended"] as String?).map { " until \($0.prefix(10))" } ?? ""
            return
                "it was in it from \(entered.prefix(10))\(end), and with 'reentry: never' nobody comes twice. Say 'each time' in the config to let them."
        case .after(let span):
            guard let last = Timestamp.date(entered), tx.now < last + Double(span.seconds) else { return nil }
            let next = Timestamp.text(last + Double(span.seconds)).prefix(16)
            return
                "it entered it on \(entered.prefix(10)), and comes again after \(span) (reentry): from \(next) UTC on."
        }
    }
}
