import Foundation
import Testing

@Suite struct OutboxCommandTests {
    @Test func `a message that is not stuck is neither tried again nor decided about`() throws {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0)
        #expect(try trellis.run("import", "leads.csv").code == 0)
        let insert = """
            INSERT INTO outbox_messages (id, key, origin, template, state, ready_at, created_at, settled_at) VALUES
                (1, 'a', 'cli', 'hello', 'sent', '2026-03-02', '2026-03-02', '2026-03-02'),
                (2, 'b', 'cli', 'hello', 'unknown', '2026-03-02', '2026-03-02', '2026-03-02'),
                (3, 'c', 'cli', 'hello', 'held', '2026-03-02', '2026-03-02', NULL),
                (4, 'd', 'cli', 'hello', 'held', '2026-03-02', '2026-03-02', NULL),
                (5, 'e', 'plugin:drip', 'hello', 'held', '2026-03-02', '2026-03-02', NULL);
            UPDATE outbox_messages SET held_by = 'kernel' WHERE id = 4;
            UPDATE outbox_messages SET held_by = 'plugin:drip', reason = 'the sequence is paused' WHERE id = 5;
            INSERT INTO mail_pauses (noticed_at, complaints, sent, percent_max) VALUES ('2026-03-02', 2, 9, 0.3);
            """
        #expect(
            try trellis.run(
                "/usr/bin/python3",
                [
                    "-c",
                    "import sqlite3,sys; c=sqlite3.connect('crm.sqlite'); c.executescript(sys.argv[1]); c.commit()",
                    insert,
                ]
            ).code == 0)
        let paused =
            "Marketing mail is paused, for too much was called spam. It goes on with: trellis outbox resume"
        for (words, sentence) in [
            (["retry", "1"], "Message 1 is sent: only what is held or failed is tried again."),
            (["retry", "2"], "Decide about it with: trellis outbox resolve 2"),
            (
                ["resolve", "3", "--accept"],
                "Message 3 is held: only one that is unknown is decided about. Send it again with: trellis outbox retry 3"
            ),
            (["resolve", "4", "--accept"], "is decided about. \(paused)"),
            (["retry", "4"], "Message 4 is held, and not for a fault of its own. \(paused)"),
            (["retry", "5"], "plugin:drip holds it (the sequence is paused): 'trellis status' says how it goes on."),
        ] {
            let outcome = try trellis.run(TrellisProcess.path, ["outbox"] + words)
            #expect(outcome.code == 65 && outcome.errors.contains(sentence), "\(outcome.errors)")
        }
        #expect(try trellis.run("outbox", "retry", "3").output.hasPrefix("1 message will be tried again"))
        let others = try trellis.run("outbox", "retry")
        #expect(others.output.hasPrefix("0 messages will be tried again") && others.errors.contains(paused))
        #expect(try trellis.run("outbox", "resume").output.hasPrefix("Marketing mail goes on: 1 message that waited"))
        for (words, sentence) in [
            (["--accept"], "Say either a message or --all."),
            (["2", "--all", "--accept"], "Say either a message or --all."),
            (["--all"], "Say either --resend or --accept."),
            (["2", "--mail", "hello", "--accept"], "--mail and --older-than belong beside --all."),
            (["--all", "--older-than", "soon", "--accept"], "expected a duration such as 2h or 3 days, got 'soon'."),
        ] {
            let outcome = try trellis.run(TrellisProcess.path, ["outbox", "resolve"] + words)
            #expect(outcome.code == 64 && outcome.errors.contains(sentence), "\(outcome.errors)")
        }
        let none = try trellis.run("outbox", "resolve", "--all", "--mail", "news", "--resend")
        #expect(none.output == "No message is unknown that fits.\n")
        let one = try trellis.run("outbox", "resolve", "--all", "--older-than", "1h", "--resend")
        #expect(one.output == "1 message decided about: 1 will be sent again when 'trellis work' runs.\n")
    }

    @Test func `a pause for bounces is called so by retry and by resume`() throws {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0)
        #expect(try trellis.run("import", "leads.csv").code == 0)
        let insert = """
            INSERT INTO mail_pauses (noticed_at, cause, complaints, sent, percent_max, people_bounced)
            VALUES ('2026-03-02', 'bounces', 0, 90, 5, 26)
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
            try trellis.run("outbox", "retry").errors.contains(
                "Marketing mail is paused, for too much bounced or was refused. It goes on with: trellis outbox resume")
        )
        #expect(
            try trellis.run("outbox", "resume").output
                == "Marketing mail goes on: 0 messages that waited will be sent when 'trellis work' runs. It was paused, for too much bounced or was refused; what was sent before is not counted again.\n"
        )
        #expect(try trellis.run("outbox", "resume").output == "Marketing mail is not paused.\n")
    }
}
