import Testing

@testable import TrellisKernel

@Suite struct SQLTextTests {
    @Test(arguments: [
        ("SELECT 1", ["SELECT 1"]), ("SELECT 1;", ["SELECT 1"]), ("SELECT 1; SELECT 2", ["SELECT 1", " SELECT 2"]),
        ("SELECT ';'; SELECT \";\"", ["SELECT ';'", " SELECT \";\""]),
        ("-- one; two\nSELECT 1 /* a; b */ + 2;", ["-- one; two\nSELECT 1 /* a; b */ + 2"]),
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END; SELECT 3",
            ["CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END", " SELECT 3"]
        ),
        ("SELECT 'unfinished; text", ["SELECT 'unfinished; text"]), ("", []), (" ;; \n", []), ("-- nothing", []),
        ("/* nothing */ -- at all\n", []),
    ])
    func `a text is cut where statements end`(text: String, statements: [String]) {
        #expect(SQLText(text).statements == statements)
    }
}
