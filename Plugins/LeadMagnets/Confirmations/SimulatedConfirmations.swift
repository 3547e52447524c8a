import TrellisKernel

/// People who press the button in the mail that asks whether the address is theirs, in a simulation.
enum SimulatedConfirmations {
    static let act = SimulatedAct(
        "form.confirmed", ofEach: "forms that ask to confirm",
        after: .init("form.submitted", subject: "chance.body ->> 'form'"),
        where:
            "EXISTS (SELECT 1 FROM consents AS c WHERE c.lead_id = chance.lead_id AND c.state = 'requested' AND c.at = chance.at)",
        knownBy: .init(["form.confirmed"], where: "trace.body ->> 'form' = chance.body ->> 'form'"),
        usual: .init(0.6, after: 3600)
    ) { tx in
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO consents (lead_id, purpose, state, text, source, at)
                SELECT lead_id, purpose, 'granted', text, :origin, :now FROM consents AS c
                WHERE lead_id IN (SELECT lead_id FROM temp.simulated) AND state = 'requested'
                  AND id = (SELECT max(id) FROM consents WHERE lead_id = c.lead_id AND purpose = c.purpose)
                """
        ).execute(arguments: ["origin": tx.origin, "now": tx.stamp])
        try tx.emit(
            FormConfirmed.kind,
            forEach: """
                SELECT s.lead_id, NULL AS cause_id, json_object('form', chance.body ->> 'form') AS body
                FROM temp.simulated AS s JOIN events AS chance ON chance.id = s.chance_id JOIN leads AS l ON l.id = s.lead_id
                ORDER BY s.at, s.chance_id
                """)
    }
}
