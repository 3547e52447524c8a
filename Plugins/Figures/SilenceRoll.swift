import TrellisKernel

/// Keeps how many leads may still buy, by the last day anybody had a word with them, or else they arrived.
///
/// It is a sum over `figures_leads`: whoever changes what is added up takes the leads out before, and puts them in
/// again.
struct SilenceRoll {
    let tx: Transaction

    /// Adds the newcomers, of which nobody has had a word or has bought.
    func welcome() throws {
        try add("SELECT day, sum(leads) FROM temp.figures_arrivals WHERE true GROUP BY day")
    }

    /// Adds the leads touched, or takes them out.
    func count(_ sign: Int) throws {
        try add(
            """
            SELECT coalesce(f.heard_on, f.arrived_on), \(sign) * count(*)
            FROM temp.figures_touched AS d CROSS JOIN figures_leads AS f ON f.lead = d.lead
            WHERE f.bought_on IS NULL AND NOT f.is_erased GROUP BY 1
            """)
    }

    /// Takes out those that are about to be marked as erased.
    func erase() throws {
        try add(
            """
            SELECT coalesce(f.heard_on, f.arrived_on), -count(*)
            FROM figures_leads AS f WHERE f.lead IN (\(LeadRoll.erased)) AND f.bought_on IS NULL AND NOT f.is_erased GROUP BY 1
            """)
        try forgetEmpty()
    }

    /// The last day of a word with each lead.
    ///
    /// - Parameter words: the kinds of event that are one, as a list in SQL.
    func hear(_ words: String) throws {
        try tx.scratchTable("figures_heard", columns: "lead INTEGER PRIMARY KEY, day TEXT, was TEXT")
        try tx.run(
            """
            INSERT INTO temp.figures_heard
            SELECT f.lead, word.day, CASE WHEN f.bought_on IS NULL THEN coalesce(f.heard_on, f.arrived_on) END
            FROM (SELECT lead_id, max(date(at)) AS day FROM batch WHERE kind IN (\(words)) GROUP BY lead_id) AS word
            CROSS JOIN figures_leads AS f ON f.lead = word.lead_id
            WHERE NOT f.is_erased AND coalesce(f.heard_on, '') < word.day
            """)
        guard tx.db.changesCount > 0 else { return }
        try tx.run(
            """
            UPDATE figures_leads AS f SET heard_on = (SELECT day FROM temp.figures_heard WHERE lead = f.lead)
            WHERE lead IN (SELECT lead FROM temp.figures_heard)
            """)
        try add(
            """
            SELECT day, sum(leads) FROM (
                SELECT was AS day, -1 AS leads FROM temp.figures_heard WHERE was IS NOT NULL
                UNION ALL SELECT day, 1 FROM temp.figures_heard WHERE was IS NOT NULL)
            WHERE true GROUP BY day
            """)
        try forgetEmpty()
    }

    func forgetEmpty() throws {
        try tx.run("DELETE FROM figures_silences INDEXED BY figures_silences_empty WHERE leads = 0")
    }

    private func add(_ select: String) throws {
        try tx.run(
            """
            INSERT INTO figures_silences (day, leads) \(select)
            ON CONFLICT (day) DO UPDATE SET leads = leads + excluded.leads
            """)
    }
}
