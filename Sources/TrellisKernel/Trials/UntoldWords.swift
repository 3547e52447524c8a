import CTrellisSQLite
import Foundation

/// The words of errors, which may carry values of the file: `json_extract('{}', email)` fails with an address in its
/// message. Where a trial runs for somebody from whom columns may be hidden, they are left out.
public enum UntoldWords {
    /// What is set, to anything, in the environment of a process that leaves them out.
    public static let variable = "TRELLIS_ERRORS_WITHOUT_VALUES"
    private static let areLeftOut = ProcessInfo.processInfo.environment[variable] != nil

    /// What is told in place of an error's own words; nil where those may be told.
    public static func instead(of error: any Error) -> String? {
        guard areLeftOut else { return nil }
        let what =
            (error as? DatabaseError).map { failure -> String in
                let code = failure.resultCode.rawValue
                return "SQLite ended a statement with an error (code \(code), \(String(cString: sqlite3_errstr(code))))"
            } ?? "A step ended with an error"
        return "\(what); its words may carry values that are hidden and are left out. "
            + "Whoever runs the command in a shell is told them."
    }
}
