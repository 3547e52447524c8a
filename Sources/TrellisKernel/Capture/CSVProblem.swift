import Foundation

/// Why a CSV file cannot be read, or not further than here.
///
/// A row that is merely short, long or not valid text is no problem of the file: the row says so itself.
/// No sentence repeats the content of a data row, which may be personal.
public enum CSVProblem: Error, Equatable, Sendable {
    /// No file has this path.
    case fileMissing(path: String)
    /// The path names a folder.
    case fileIsDirectory(path: String)
    /// The system refuses to open or to read the file; `code` is its `errno`.
    case fileUnreadable(path: String, code: Int32)
    /// The file has no line with text in it, so not even a header.
    case fileEmpty(path: String)
    /// This byte cannot part fields: it is a quote, a line end, NUL, or a piece of a longer character.
    case delimiterUnusable(byte: UInt8)
    /// The header holds NUL bytes, or bytes that are no characters in the encoding of the file.
    case headerNotText(line: Int, encoding: TextEncoding)
    /// Two columns have one name; positions count from 1.
    case columnNameTwice(line: Int, name: String, first: Int, second: Int)
    /// The file ends inside a quoted field; `line` is where its quote was opened.
    case quoteNotClosed(line: Int)
    /// A field is too long; `line` is where it begins and `column` counts from 1.
    case cellTooLong(line: Int, column: Int, bytesMax: Int)
    /// A record has too many fields; `line` is where it begins.
    case columnsTooMany(line: Int, columnsMax: Int)
    /// A record is too long altogether; `line` is where it begins.
    case recordTooLong(line: Int, bytesMax: Int)
}

extension CSVProblem: CustomStringConvertible {
    /// What is wrong, and what to do about it.
    public var description: String {
        switch self {
        case .fileMissing(let path):
            "There is no file at \(path). Check the path."
        case .fileIsDirectory(let path):
            "\(path) is a folder, not a file. Name one CSV file in it."
        case .fileUnreadable(let path, let code):
            "\(path) cannot be read: \(String(cString: strerror(code))). Check its permissions and its disk."
        case .fileEmpty(let path):
            "\(path) is empty. Its first line should hold the names of the columns: export it again."
        case .delimiterUnusable(let byte):
            "A delimiter cannot be the byte \(byte). Use a comma, a semicolon, a tab or a vertical bar."
        case .headerNotText(let line, let encoding):
            "line \(line): the header is not text in \(encoding.rawValue). "
                + "Save the sheet as “CSV UTF-8”, or name the encoding of the file."
        case .columnNameTwice(let line, let name, let first, let second):
            "line \(line): the columns \(first) and \(second) are both named \"\(name)\". Rename one of them."
        case .quoteNotClosed(let line):
            "line \(line): a quote is opened here and never closed. "
                + "Close it, or write it twice if it belongs to the text."
        case .cellTooLong(let line, let column, let bytesMax):
            "line \(line): column \(column) holds more than \(bytesMax) bytes. "
                + "Look for a quote that is not closed, or shorten the text."
        case .columnsTooMany(let line, let columnsMax):
            "line \(line): there are more than \(columnsMax) columns. "
                + "Check the delimiter, or leave out the columns that are not needed."
        case .recordTooLong(let line, let bytesMax):
            "line \(line): the record holds more than \(bytesMax) bytes. "
                + "Leave out the columns that are not needed, or shorten their texts."
        }
    }
}
