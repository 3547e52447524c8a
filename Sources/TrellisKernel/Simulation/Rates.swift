import Foundation

/// How often people do what they do: measured from the log, told by somebody, or assumed.
struct Rates {
    /// A rate with where it comes from.
    struct Known: Sendable {
        var act: SimulatedAct
        var rate: SimulatedAct.Rate
        /// `measured`, `given`, `assumed`.
        var basis: String
        var cases: Int64
        var happened: Int64
    }

    /// Fewer cases tell nothing.
    static let casesMin: Int64 = 50
    /// An act that takes longer in the mean is not waited for, in seconds.
    private static let patienceMax = 20 * 86_400.0
    /// The log is looked at so far back.
    static let daysMax = 90.0

    let settings: SimulationSettings
    let now: Date

    private var since: String { Timestamp.text(now - Rates.daysMax * 86_400) }

    /// - Throws: ``ConfigProblems`` where the settings name an act that nobody does.
    func known(of acts: [SimulatedAct], _ db: Database) throws -> [Known] {
        try settings.check(names: acts.map(\.name), recurring: Set(acts.filter(\.recurs).map(\.name)))
        return try acts.map { act in
            let (cases, happened, after) = try act.recurs ? often(act, db) : measure(act, db)
            let measured =
                cases >= Rates.casesMin
                ? SimulatedAct.Rate(Double(happened) / Double(max(cases, 1)), after: after ?? act.usual.after) : nil
            var known = Known(
                act: act, rate: measured ?? act.usual, basis: measured == nil ? "assumed" : "measured", cases: cases,
                happened: happened)
            if let given = settings.rates.first(where: { $0.name == act.name })?.value {
                known.rate.share = given.share ?? known.rate.share
                known.rate.after = given.after.map { Double($0.seconds) } ?? known.rate.after
                known.basis = "given"
            }
            return known
        }
    }

    /// Each trace is counted for the last chance before it; two of one chance are one. Chances so young that the act
    /// may be yet to come tell nothing.
    private func measure(_ act: SimulatedAct, _ db: Database) throws -> (Int64, Int64, Double?) {
        let ripe = Timestamp.text(now - min(3 * act.usual.after, Rates.patienceMax))
        let kinds = act.trace.kinds.map { $0.sqlLiteral }.joined(separator: ", ")
        let cases =
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM events AS chance WHERE chance.kind = :kind AND chance.at >= :since AND chance.at <= :ripe AND (\(act.condition))
                    """, arguments: ["kind": act.chance.kind, "since": since, "ripe": ripe]) ?? 0
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT count(*), avg(seconds) FROM (
                    SELECT min((julianday(hit) - julianday(chance.at)) * 86400) AS seconds
                    FROM (
                        SELECT trace.at AS hit, (
                            SELECT max(chance.id) FROM events AS chance
                            WHERE chance.lead_id = trace.lead_id AND chance.kind = :kind AND chance.id < trace.id AND (\(act.trace.condition))) AS chance_id
                        FROM events AS trace WHERE trace.kind IN (\(kinds)) AND trace.at >= :since)
                    JOIN events AS chance ON chance.id = chance_id
                    WHERE chance.at >= :since AND chance.at <= :ripe AND (\(act.condition)) GROUP BY chance_id)
                """, arguments: ["kind": act.chance.kind, "since": since, "ripe": ripe])
        return (cases, row?[0] ?? 0, row?[1])
    }

    /// How often a lead does it in 30 days: the cases are leads and months they were there.
    private func often(_ act: SimulatedAct, _ db: Database) throws -> (Int64, Int64, Double?) {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT (SELECT coalesce(sum(max(0, julianday(:now) - julianday(max(created_at, :since)))), 0) / 30 FROM leads),
                       (SELECT count(*) FROM events WHERE kind = :kind AND at >= :since)
                """, arguments: ["kind": act.name, "since": since, "now": Timestamp.text(now)])
        let months: Double = row?[0] ?? 0
        return (Int64(months.rounded()), row?[1] ?? 0, 0)
    }
}

extension Rates {
    /// The rates as a table, for whoever asks what the result rests on.
    static func table(_ rates: [Known]) -> Table {
        Table(
            columns: ["act", "rate", "of", "after", "basis", "cases", "happened"],
            rows: rates.map { known in
                let isRecurring = known.act.recurs
                return [
                    .text(known.act.name),
                    .text(isRecurring ? Rates.decimal(known.rate.share) : Rates.percent(known.rate.share)),
                    .text(known.act.cases),
                    isRecurring ? .null : .text(Rates.span(known.rate.after)), .text(known.basis),
                    .integer(known.cases), .integer(known.happened),
                ]
            })
    }

    private static func percent(_ share: Double) -> String { decimal(share * 100) + " %" }

    private static func decimal(_ number: Double) -> String {
        let text = String(format: "%.3g", number)
        return Double(text).map { $0 == $0.rounded() ? String(Int64($0)) : text } ?? text
    }

    private static func span(_ seconds: Double) -> String {
        seconds < 5400
            ? "\(Int((seconds / 60).rounded())) min"
            : seconds < 129_600 ? "\(decimal(seconds / 3600)) h" : "\(decimal(seconds / 86_400)) days"
    }
}
