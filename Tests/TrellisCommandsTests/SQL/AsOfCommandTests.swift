import Foundation
import Testing

@Suite struct AsOfCommandTests {
    private func site() throws -> TrellisProcess {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0)
        #expect(try trellis.run("capture", "--email", "ann@acme.example", "country=DE").code == 0)
        return trellis
    }

    @Test func `an answer is that of the moment, and what is said beside it goes elsewhere`() throws {
        let trellis = try site()
        let before = try trellis.run("as-of", "1 day ago", "SELECT count(*) AS leads FROM leads", "--format", "csv")
        #expect(before.code == 0)
        #expect(before.output == "leads\n0\n")
        #expect(before.errors.hasPrefix("As of "))
        #expect(before.errors.contains("The log begins at "))
        let now = try trellis.run(
            "as-of", "--json", "now", "SELECT count(*) AS leads FROM leads WHERE created_at <= 'now'")
        #expect(now.output.contains("\"leads\":1"))
        #expect(!now.errors.contains("The log begins"))
    }

    @Test func `a query of the config is asked by its name, with its parameters`() throws {
        let trellis = try site()
        let answer = try trellis.run("as-of", "now", "hot-leads", "--country", "DE", "--format", "csv")
        #expect(answer.code == 0)
        #expect(answer.output.hasPrefix("id,first_name,company"))
    }

    @Test func `what is no moment, is to come or would write is refused`() throws {
        let trellis = try site()
        let soon = try trellis.run("as-of", "soon", "SELECT 1")
        #expect(soon.code == 64 && soon.errors.contains("'soon' is no moment. Give a day (2026-05-01)"))
        let later = try trellis.run("as-of", "9998-01-01", "SELECT 1")
        #expect(later.code == 64 && later.errors.contains("is still to come"))
        let written = try trellis.run("as-of", "now", "DELETE FROM leads", "--write")
        #expect(written.code == 64 && written.errors.contains("What was cannot be written"))
        let view = try trellis.run("as-of", "now", "delete from leads")
        #expect(view.code == 64 && view.errors.contains("'trellis as-of' only reads: what was cannot be written."))
        let deleted = try trellis.run("as-of", "now", "DELETE FROM main.leads")
        #expect(deleted.code == 64 && deleted.errors.contains("Only reading is allowed"))
        #expect(try trellis.run("sql", "SELECT count(*) FROM leads", "--format", "csv").output.hasSuffix("\n1\n"))
    }
}
