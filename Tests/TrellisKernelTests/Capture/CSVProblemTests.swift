import Foundation
import Testing

@testable import TrellisKernel

struct CSVProblemTests {
    @Test(
        arguments: [
            (.fileMissing(path: "a.csv"), "There is no file at a.csv. Check the path."),
            (.fileIsDirectory(path: "lists"), "lists is a folder, not a file. Name one CSV file in it."),
            (
                .fileUnreadable(path: "a.csv", code: EACCES),
                "a.csv cannot be read: Permission denied. Check its permissions and its disk."
            ),
            (
                .fileEmpty(path: "a.csv"),
                "a.csv is empty. Its first line should hold the names of the columns: export it again."
            ),
            (
                .delimiterUnusable(byte: 10),
                "A delimiter cannot be the byte 10. Use a comma, a semicolon, a tab or a vertical bar."
            ),
            (
                .headerNotText(line: 1, encoding: .utf8),
                "line 1: the header is not text in utf-8. "
                    + "Save the sheet as “CSV UTF-8”, or name the encoding of the file."
            ),
            (
                .columnNameTwice(line: 1, name: "email", first: 2, second: 5),
                "line 1: the columns 2 and 5 are both named \"email\". Rename one of them."
            ),
            (
                .quoteNotClosed(line: 12),
                "line 12: a quote is opened here and never closed. "
                    + "Close it, or write it twice if it belongs to the text."
            ),
            (
                .cellTooLong(line: 12, column: 3, bytesMax: 1_048_576),
                "line 12: column 3 holds more than 1048576 bytes. "
                    + "Look for a quote that is not closed, or shorten the text."
            ),
            (
                .columnsTooMany(line: 12, columnsMax: 1_000),
                "line 12: there are more than 1000 columns. "
                    + "Check the delimiter, or leave out the columns that are not needed."
            ),
            (
                .recordTooLong(line: 12, bytesMax: 8_388_608),
                "line 12: the record holds more than 8388608 bytes. "
                    + "Leave out the columns that are not needed, or shorten their texts."
            ),
        ] as [(CSVProblem, String)])
    func `every problem says what is wrong and what to do`(problem: CSVProblem, sentence: String) {
        #expect(problem.description == sentence)
    }
}
