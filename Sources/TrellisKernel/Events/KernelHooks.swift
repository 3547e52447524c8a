/// What the kernel itself does with the log: it hangs on the same hooks as the plugins, and goes first.
struct KernelHooks {
    let config: Config

    @HookBuilder var hooks: [any Hook] {
        Subscribe("link-accounts", to: ["lead.created", "lead.updated"], from: .firstEvent) { batch, tx in
            try linkAccounts(tx)
        }
        Subscribe("keep-out-erased", to: ["lead.created"], from: .firstEvent) { _, tx in
            try ErasedAddresses(config: config).suppressReturning(tx)
        }
        Subscribe("end-rests", to: ["suppression.lapsed"], from: .firstEvent) { _, tx in
            try Mailroom.endRests(tx)
        }
        Subscribe("judge-hits", to: [MailHitsGathered.kind], from: .firstEvent) { _, tx in
            try HitJudge(rules: config.site.mail.machineHits).judge(tx)
        }
    }

    /// A lead belongs to the account whose domain is that of its address, whoever wrote the row.
    private func linkAccounts(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE leads SET account_id = account.id, updated_at = :now
                FROM (SELECT DISTINCT lead_id FROM batch WHERE EXISTS (SELECT 1 FROM accounts WHERE domain IS NOT NULL)) AS changed,
                     accounts AS account
                WHERE leads.id = changed.lead_id AND leads.account_id IS NULL AND leads.email IS NOT NULL
                  AND account.domain = substr(leads.email, instr(leads.email, '@') + 1)
                """
        ).execute(arguments: ["now": tx.stamp])
    }
}
