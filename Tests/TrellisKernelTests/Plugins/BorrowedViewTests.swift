import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct BorrowedViewTests {
    struct Lender: Plugin {
        static let name = "lender"
        static let summary = "Has a table."
        static let migrations = MigrationFolder(
            owner: "lender",
            files: [
                MigrationFile(
                    name: "0001_lend",
                    sql: "CREATE TABLE lender_books (title TEXT) STRICT; INSERT INTO lender_books VALUES ('Emma');")
            ])
        init(settings _: NoSettings) {}
        var hooks: [any Hook] { [] }
    }

    struct Borrower: Plugin {
        static let name = "borrower"
        static let summary = "Reads the table of another."
        static let isOnByDefault = true
        static let migrations = MigrationFolder(
            owner: "borrower",
            files: [
                MigrationFile(
                    name: "0001_borrow", sql: "CREATE VIEW borrower_books AS SELECT NULL AS title WHERE false;")
            ])
        static let borrowedViews = [
            BorrowedView("borrower_books", of: "lender_books", "SELECT title FROM lender_books")
        ]
        init(settings _: NoSettings) {}
        var hooks: [any Hook] { [] }
    }

    @Test func `the view is empty without the table, and reads it once it is there`() throws {
        let crm = try TestKernel(plugins: [Lender.self, Borrower.self])
        #expect(try crm.rows("SELECT title FROM borrower_books") == [])
        let later = try crm.reopened("plugins: {lender: {}}")
        #expect(try later.rows("SELECT title FROM borrower_books") == ["Emma"])
        let off = try later.reopened("plugins: {lender: {enabled: false}}")
        #expect(try off.rows("SELECT title FROM borrower_books") == ["Emma"])
    }

    @Test func `a plugin that is on by default needs no section, and can be switched off`() throws {
        let crm = try TestKernel(plugins: [Lender.self, Borrower.self])
        #expect(try crm.rows("SELECT name, is_on FROM plugins ORDER BY name") == ["borrower|1", "lender|0"])
        let off = try crm.reopened("plugins: {borrower: {enabled: false}}")
        #expect(try off.rows("SELECT name, is_on FROM plugins ORDER BY name") == ["borrower|0", "lender|0"])
    }
}
