/// The mails the plugin brings; a file of the site with the same name takes the place of each.
enum Mails {
    static let builtIn = [
        "handoff-offer": """
        ---
        subject: New lead: {{lead_name}}
        preheader: {{why_now|}}
        purpose: transactional
        ---
        {{lead_name}} is yours{{by_when|}}.

        **Who:** {{lead_facts|}}

        **Why now:** {{why_now|}}

        [Accept the lead]({{accept_url|}})

        Not yours, or no time? [Give it back]({{reject_url|}}), with the reason.

        **Read and asked for:** {{interests|nothing yet}}

        **How to begin:** {{opener|}}

        **What happened, the newest first:** {{lead_history|}}

        {{earlier|}}

        **The card of the lead:** {{lead_card|}}

        Or in a shell: trellis handoff accept {{handoff}}, trellis handoff reject {{handoff}} "{{reject_reason|reason}}"
        """,
        "handoff-reminder": """
        ---
        subject: Still waiting: {{lead_name}}
        purpose: transactional
        ---
        {{lead_name}} is waiting for you{{by_when|}}: {{lead_facts|}}

        **Why now:** {{why_now|}}

        [Open the lead]({{accept_url|}})
        """,
        "handoff-escalation": """
        ---
        subject: Nobody has looked after {{lead_name}}
        purpose: transactional
        ---
        {{lead_name}} is with {{rep|nobody}}, and the clock has run out: {{overdue|}}.

        **Who:** {{lead_facts|}}

        **Why now:** {{why_now|}}

        To give the lead to somebody else, in a shell: trellis handoff reassign {{handoff}} REP
        """,
    ]
}
