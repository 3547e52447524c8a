import TrellisKernel

/// The addresses of the reps, as SQL over a handoff `h`.
struct RepMails {
    /// A CASE over `h.rep`; NULL for a name the config does not know.
    let address: String

    init(_ settings: HandoffSettings) {
        let cases = settings.reps.map { "WHEN \($0.name.sqlLiteral) THEN \($0.value.email.sqlLiteral)" }
        address = "CASE h.rep \(cases.joined(separator: " ")) END"
    }
}
