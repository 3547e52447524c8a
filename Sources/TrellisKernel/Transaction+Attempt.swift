import GRDB

extension Transaction {
    /// Does what may fail for what a config or a row says, in a savepoint, so that the rest of the transaction need not
    /// fail with it. A savepoint costs a copy of each page that is changed within it.
    ///
    /// - Returns: nil where it is done; otherwise why it is not, in SQLite's words, and nothing of it stands.
    /// - Throws: what is not the fault of a statement: an error of the file or its disk, SQL that ran for longer than
    ///   it may, whatever ended the transaction as a whole, and every error that is not SQLite's.
    public func attempt(_ body: () throws -> Void) throws -> String? {
        do {
            try db.inSavepoint {
                try body()
                return .commit
            }
            return nil
        } catch let failure as DatabaseError where isOfStatement(failure) {
            return UntoldWords.instead(of: failure) ?? failure.message
                ?? "SQLite error \(failure.resultCode.rawValue)"
        }
    }

    private func isOfStatement(_ failure: DatabaseError) -> Bool {
        db.isInsideTransaction && !SharedCommit.endsAll(failure)
            && ![.SQLITE_INTERRUPT, .SQLITE_ABORT, .SQLITE_NOMEM].contains(failure.resultCode)
    }
}
