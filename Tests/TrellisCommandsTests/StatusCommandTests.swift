import Foundation
import Testing

@Suite struct StatusCommandTests {
    @Test func `what came back is counted in words that fit the number`() throws {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0)
        #expect(try trellis.run("import", "leads.csv").code == 0)
        #expect(try trellis.run("status").output.contains("returned mail    none\n"))
        let insert = """
            INSERT INTO mail_returns (digest, kind, at) VALUES
                ('a', 'complaint', '2026-03-02'), ('b', 'complaint', '2026-03-02'), ('c', 'hard_bounce', '2026-03-02'),
                ('d', 'automatic_reply', '2026-03-02'), ('e', 'automatic_reply', '2026-03-02'),
                ('f', 'blocked', '2026-03-02'), ('g', 'blocked', '2026-03-02')
            """
        #expect(
            try trellis.run(
                "/usr/bin/python3",
                [
                    "-c", "import sqlite3,sys; c=sqlite3.connect('crm.sqlite'); c.execute(sys.argv[1]); c.commit()",
                    insert,
                ]
            ).code == 0)
        #expect(
            try trellis.run("status").output.contains(
                "returned mail    2 automatic replies, 2 blocked, 2 complaints, 1 hard bounce\n"))
    }
}
