import Testing
import TrellisKernel
import TrellisTesting

@Suite struct TransactionAttemptTests {
    @Test func `what fails by a statement is undone alone, and told in words`() throws {
        let crm = try TestKernel()
        let reasons: [String?] = try crm.kernel.write(origin: "test") { tx in
            func insert(_ emails: String...) throws -> String? {
                try tx.attempt {
                    for email in emails {
                        try tx.db.execute(sql: "INSERT INTO leads (email) VALUES (?)", arguments: [email])
                    }
                }
            }
            return [
                try insert("ann@a.example"), try insert("bob@b.example", "ann@a.example"),
                try tx.attempt { try tx.db.execute(sql: "SELECT json_extract('no JSON', '$.a')") },
                try insert("cleo@c.example"),
            ]
        }
        #expect(reasons == [nil, "UNIQUE constraint failed: leads.email", "malformed JSON", nil])
        #expect(try crm.rows("SELECT email FROM leads ORDER BY id") == ["ann@a.example", "cleo@c.example"])
        #expect(try crm.events() == ["lead.created", "lead.created"])
    }

    @Test(arguments: [ResultCode.SQLITE_FULL, .SQLITE_BUSY, .SQLITE_IOERR, .SQLITE_CORRUPT, .SQLITE_INTERRUPT])
    func `an error of the file, and what took too long, ends the transaction as before`(_ code: ResultCode) throws {
        let crm = try TestKernel()
        #expect(throws: (any Error).self) {
            try crm.kernel.write(origin: "test") { tx in
                try tx.db.execute(sql: "INSERT INTO leads (email) VALUES ('ann@a.example')")
                _ = try tx.attempt { throw DatabaseError(resultCode: code) }
            }
        }
        #expect(try crm.rows("SELECT count(*) FROM leads") == ["0"])
    }

    @Test func `an error that is not SQLite's is nobody's row`() throws {
        let crm = try TestKernel()
        #expect(throws: KernelError.diskFull) {
            try crm.kernel.write(origin: "test") { tx in _ = try tx.attempt { throw KernelError.diskFull } }
        }
    }
}
