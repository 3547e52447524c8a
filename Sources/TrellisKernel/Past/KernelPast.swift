/// The kernel's own tables as they were.
enum KernelPast {
    static let views: [PastView] =
        [
            leads, records("contacts"), records("accounts"), opportunities,
            PastView("touches", from: "main.touches AS t WHERE t.at <= :at"),
            PastView("consents", from: "main.consents AS t WHERE t.at <= :at"),
            PastView("suppressions", from: "main.suppressions AS t WHERE t.at <= :at"),
            PastView(
                "events", [PastView.Source(from: "main.events AS t WHERE t.at <= :at")], separatesMerged: true),
            PastView("lead_merges", from: "main.lead_merges AS t WHERE t.at <= :at"),
            PastView(
                "mail_hits", from: "main.mail_hits AS t WHERE t.at <= :at",
                asNow: ["agent", "network", "verdict", "reason"]
            ),
            outbox,
        ]

    /// Tables that hold what a site agreed on rather than what happened: they are read as they are, without a word.
    static let timeless: Set<String> = [
        "stages", "goals", "site", "view_files", "mail_links", "mail_machine_agents", "country_zones", "plugins",
        "migrations",
    ]

    /// A lead that was deleted since lies in the trash; who was erased is in no past either.
    private static let leads = PastView(
        "leads",
        [
            PastView.Source(
                from:
                    """
                    main.leads AS t WHERE t.created_at <= :at AND t.id NOT IN (SELECT lead_id FROM temp.past_absences)
                      AND t.id NOT IN (SELECT row_id FROM main.trash WHERE table_name = 'leads' AND deleted_at > :at)
                    """,
                [
                    "stage": stage(of: "t.id", now: "t.stage"),
                    "updated_at": lastChange(of: "t.id", created: "t.created_at"),
                ]
            ),
            PastView.Source(
                from: """
                    main.trash AS t WHERE t.table_name = 'leads' AND t.deleted_at > :at
                      AND json_extract(t.row, '$.created_at') <= :at AND t.row_id NOT IN (SELECT lead_id FROM temp.past_absences)
                      AND t.id = (SELECT min(o.id) FROM main.trash AS o
                                  WHERE o.table_name = 'leads' AND o.row_id = t.row_id AND o.deleted_at > :at)
                    """,
                [
                    "id": "t.row_id", "stage": stage(of: "t.row_id", now: "json_extract(t.row, '$.stage')"),
                    "updated_at": lastChange(of: "t.row_id", created: "json_extract(t.row, '$.created_at')"),
                ],
                json: "row"),
        ])

    /// The first change of a stage after the moment tells what it was before.
    private static func stage(of lead: String, now: String) -> String {
        """
        coalesce((SELECT json_extract(e.body, '$.from') FROM main.events AS e
                  WHERE e.lead_id = \(lead) AND e.kind = 'lead.stage_changed' AND e.at > :at ORDER BY e.id LIMIT 1), \(now))
        """
    }

    private static func lastChange(of lead: String, created: String) -> String {
        """
        coalesce((SELECT max(e.at) FROM main.events AS e WHERE e.lead_id = \(lead) AND e.at <= :at
                  AND e.kind IN ('lead.created', 'lead.updated', 'lead.stage_changed', 'lead.restored')), \(created))
        """
    }

    private static func records(_ table: String) -> PastView {
        PastView(
            table,
            [
                PastView.Source(from: "main.\(table) AS t WHERE t.created_at <= :at"),
                PastView.Source(from: trash(of: table), ["id": "t.row_id"], json: "row"),
            ])
    }

    private static func trash(of table: String) -> String {
        """
        main.trash AS t WHERE t.table_name = '\(table)' AND t.deleted_at > :at AND json_extract(t.row, '$.created_at') <= :at
          AND t.row_id NOT IN (SELECT id FROM main.\(table))
        """
    }

    private static let opportunities = PastView(
        "opportunities",
        [
            PastView.Source(
                from: """
                    main.opportunities AS t LEFT JOIN (
                        SELECT json_extract(body, '$.opportunity_id') AS id, json_extract(body, '$.from') AS stage, min(id) AS event_id
                        FROM main.events WHERE kind = 'opportunity.stage_changed' AND at > :at GROUP BY 1) AS was ON was.id = t.id
                    WHERE t.created_at <= :at
                    """,
                [
                    "stage": "coalesce(was.stage, t.stage)",
                    "closed_at": "CASE WHEN t.closed_at <= :at THEN t.closed_at END",
                ]),
            PastView.Source(from: trash(of: "opportunities"), ["id": "t.row_id"], json: "row"),
        ], asNow: ["name", "owner", "amount", "currency"])

    /// What was not settled yet was waiting; that it was held meanwhile is not kept.
    private static let outbox = PastView(
        "outbox_messages", from: "main.outbox_messages AS t WHERE t.created_at <= :at",
        [
            "state": "CASE WHEN t.settled_at > :at THEN 'waiting' ELSE t.state END",
            "reason": "CASE WHEN t.settled_at > :at THEN NULL ELSE t.reason END",
            "content": "CASE WHEN t.settled_at > :at THEN NULL ELSE t.content END",
            "settled_at": "CASE WHEN t.settled_at <= :at THEN t.settled_at END",
            "leased_at": "CASE WHEN t.leased_at <= :at THEN t.leased_at END",
        ],
        asNow: ["attempts", "ready_at", "recipient", "body", "held_by", "expires_at", "list"])
}
