import Testing

@testable import TrellisKernel

@Suite struct SQLTokensTests {
    @Test(arguments: [
        "SELECT 1 FROM a JOIN b USING (x)", "select 1 from a natural join b", "SELECT 1 FROM a JOIN b/**/UsInG(x)",
        "SELECT '' 'x' FROM a NATURAL LEFT JOIN b", "SELECT 1 -- '\nFROM a JOIN b USING (x)",
        "SELECT ''''FROM a NATURAL JOIN b",
        "SELECT \"\"\"\" FROM a JOIN b USING(x)", "SELECT `a``b` FROM a JOIN b USING (x)",
        "SELECT [a'] FROM a NATURAL JOIN b",
        "SELECT /* * / ' */ 1 FROM a NATURAL JOIN b", "SELECT x'00'FROM a NATURAL JOIN b",
        "SELECT 1 FROM a\u{0C}NATURAL\tJOIN b",
    ])
    func `a join by name is found wherever it hides`(_ sql: String) {
        #expect(SQLTokens.joinsByName(sql))
    }

    @Test(arguments: [
        "SELECT 'using'", "SELECT \"natural\" FROM x", "SELECT 1 -- using", "SELECT 1 /* natural join */",
        "SELECT [using]",
        "SELECT `using`", "SELECT using_it, naturally FROM x", "SELECT 'it''s using'", "", "'using", "/* using",
    ])
    func `the same letters elsewhere are none`(_ sql: String) {
        #expect(!SQLTokens.joinsByName(sql))
    }

    @Test func `what is not closed ends with the text`() {
        for (sql, isClosed) in [
            ("'a", false), ("'a'", true), ("/* a", false), ("/* a */", true), ("-- a", true), ("[a", false),
            ("\"a\"\"", false),
        ] {
            #expect(SQLTokens(sql).map(\.isClosed) == [isClosed], "\(sql)")
        }
    }

    @Test func `words and signs follow each other`() {
        let tokens = SQLTokens("SELECT a.b, 'c d' FROM \"e\"; -- f")
        #expect(
            tokens.map { tokens.letters($0) } == ["SELECT", "a", ".", "b", ",", "'c d'", "FROM", "\"e\"", ";", "-- f"])
    }
}
