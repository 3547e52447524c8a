/// Keeps erased people out by a keyed hash of their address: the address itself is kept nowhere.
struct ErasedAddresses {
    let config: Config

    /// Refuses a draft of somebody who was erased.
    func refuse(_ email: String?, _ db: Database) throws {
        guard let email, try hasAny(db) else { return }
        let isErased = try config.signer.hashes(ofAddress: email).contains { hash in
            try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM suppressions WHERE email_hash = ?)"),
                arguments: [hash]) ?? false
        }
        if isErased { throw Veto("this person was erased on request; only they can come back, through a form") }
    }

    /// Lets a person back in who filled in a form again.
    func readmit(_ email: String?, _ db: Database) throws {
        guard let email, try hasAny(db) else { return }
        for hash in try config.signer.hashes(ofAddress: email) {
            try db.cachedStatement(sql: "DELETE FROM suppressions WHERE email_hash = ?").execute(arguments: [hash])
        }
    }

    /// Suppresses those whom another client wrote into `leads` again. The rows of the batch are their creations.
    func suppressReturning(_ tx: Transaction) throws {
        guard try hasAny(tx.db) else { return }
        let signer = try config.signer
        let emails = try String.fetchAll(
            tx.db, sql: "SELECT email FROM leads WHERE email IS NOT NULL AND id IN (SELECT lead_id FROM batch)")
        let isErased = try tx.db.cachedStatement(
            sql: "SELECT EXISTS (SELECT 1 FROM suppressions WHERE email_hash = ?)")
        for email in emails
        where try signer.hashes(ofAddress: email).contains(where: {
            try Bool.fetchOne(isErased, arguments: [$0]) ?? false
        }) {
            try tx.db.execute(
                sql:
                    "INSERT INTO suppressions (email, reason, origin, at) VALUES (?, 'erased', 'kernel', ?) ON CONFLICT DO NOTHING",
                arguments: [email, tx.stamp])
        }
    }

    func hasAny(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM suppressions WHERE email_hash IS NOT NULL)")) ?? false
    }
}
