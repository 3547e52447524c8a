/// What a lead became.
public struct Conversion: Sendable, Hashable {
    public let contactID: Int64
    /// Nil for an address at a free mailbox provider without a company.
    public let accountID: Int64?
    public let opportunityID: Int64
}

extension Transaction {
    /// Makes a lead into a contact at the account of its domain, with an opportunity, and moves it to the stage
    /// `opportunity` where the config has one. A lead that was converted before gets a further opportunity and
    /// nothing twice.
    ///
    /// - Parameter currency: of the amount (ISO 4217).
    /// - Throws: ``KernelError/noLead(_:)``, ``FieldProblem`` for what is no currency.
    public func convert(
        lead id: Int64, opportunity name: String? = nil, amount: Double? = nil, currency: String? = nil
    ) throws -> Conversion {
        let currency = try currency.map(SpendLine.currency)
        guard let lead = try Row.fetchOne(db, sql: "SELECT * FROM leads WHERE id = ?", arguments: [id]) else {
            throw KernelError.noLead(String(id))
        }
        let accountID = try account(of: lead)
        let contactID = try contact(of: lead, accountID: accountID)
        try db.execute(
            sql: """
                INSERT INTO opportunities
                    (name, account_id, contact_id, lead_id, owner, amount, currency, opened_at, created_at, updated_at)
                VALUES (coalesce(?, ?, 'Opportunity'), ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name, lead["company"] as String?, accountID, contactID, id, lead["owner"] as String?, amount,
                currency, stamp, stamp, stamp,
            ])
        let opportunityID = db.lastInsertedRowID
        try db.execute(
            sql:
                "UPDATE leads SET account_id = ?, contact_id = ?, updated_at = ? WHERE id = ? AND (account_id, contact_id) IS NOT (?, ?)",
            arguments: [accountID, contactID, stamp, id, accountID, contactID])
        let body = JSONValue.object([
            ("account_id", accountID.map(JSONValue.integer) ?? .null), ("contact_id", .integer(contactID)),
            ("opportunity_id", .integer(opportunityID)),
        ])
        try emit("lead.converted", lead: id, body: body.text())
        if kernel.config.site.leads.stages.contains("opportunity") {
            try moveStage(to: "opportunity", leads: "SELECT :lead", arguments: ["lead": id])
        }
        return Conversion(contactID: contactID, accountID: accountID, opportunityID: opportunityID)
    }

    private func account(of lead: Row) throws -> Int64? {
        if let known: Int64 = lead["account_id"] { return known }
        let domain = (lead["email"] as String?).flatMap { try? EmailAddress($0).domain }.flatMap {
            EmailAddress.isFreeMail(domain: $0) ? nil : $0
        }
        let company: String? = lead["company"]
        guard domain != nil || company != nil else { return nil }
        if let found = try Int64.fetchOne(
            db,
            sql:
                "SELECT id FROM accounts WHERE domain = ?1 OR (?1 IS NULL AND name = ?2 COLLATE NOCASE) ORDER BY id LIMIT 1",
            arguments: [domain, company])
        {
            return found
        }
        try db.execute(
            sql:
                "INSERT INTO accounts (name, domain, industry, employees, country, city, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                company ?? domain, domain, lead["industry"] as String?, lead["employees"] as Int?,
                lead["country"] as String?, lead["city"] as String?, stamp, stamp,
            ])
        return db.lastInsertedRowID
    }

    private func contact(of lead: Row, accountID: Int64?) throws -> Int64 {
        if let known: Int64 = lead["contact_id"] { return known }
        let email: String? = lead["email"]
        if let email,
            let found = try Int64.fetchOne(db, sql: "SELECT id FROM contacts WHERE email = ?", arguments: [email])
        {
            return found
        }
        try db.execute(
            sql: """
                INSERT INTO contacts (account_id, email, first_name, last_name, phone, title, owner, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                accountID, email, lead["first_name"] as String?, lead["last_name"] as String?, lead["phone"] as String?,
                lead["title"] as String?,
                lead["owner"] as String?, stamp, stamp,
            ])
        return db.lastInsertedRowID
    }
}
