import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Door: Plugin {
    static let name = "door"
    static let summary = "Refuses rivals."
    init(settings: NoSettings) {}
    var hooks: [any Hook] {
        Filter("look", LeadDraft.self) { draft, _ in
            if draft.email?.hasSuffix("@rival.example") == true { throw Veto("no competitors") }
        }
    }
}

@Suite struct ImporterTests {
    /// 5,000 rows of which those with a number that ends in 77 are no leads.
    private static let many =
        "email,first_name\n"
        + (1...5000).map { number in
            number % 100 == 77 ? "nobody \(number),\"A, B\"\n" : "lead\(number)@acme.example,Name \(number)\n"
        }.joined()

    private func crm(_ csv: String, _ yaml: String = "", plugins: [any Plugin.Type] = []) throws -> TestKernel {
        try TestKernel(yaml, plugins: plugins, files: ["leads.csv": csv])
    }

    private func importer(_ crm: TestKernel, _ mapping: ImportMapping = ImportMapping(), isDryRun: Bool = false)
        -> Importer
    {
        Importer(crm.kernel, file: crm.folder + "/leads.csv", mapping: mapping, isDryRun: isDryRun, chunkRows: 2000)
    }

    private func counts(_ report: ImportReport) -> [Int] {
        [report.rows, report.created, report.changed, report.same, report.rejected]
    }

    private func rejected(_ crm: TestKernel) throws -> String {
        try String(contentsOfFile: crm.folder + "/leads.csv.rejected.csv", encoding: .utf8)
    }

    // MARK: - Once

    @Test func `a file becomes leads, and says who it was`() throws {
        let crm = try crm("email,First Name,Shoe Size\nann@acme.example,Ann,39\nbob@acme.example,Bob,44\n")
        let report = try importer(crm).run()
        #expect(counts(report) == [2, 2, 0, 0, 0])
        #expect(report.ignoredColumns == ["Shoe Size"])
        #expect(report.rejectedFile == nil && !report.wasDoneBefore && report.resumedAfter == 0)
        #expect(
            try crm.rows("SELECT email, first_name FROM leads") == ["ann@acme.example|Ann", "bob@acme.example|Bob"])
        #expect(try crm.rows("SELECT DISTINCT origin FROM events") == ["import:1"])
        #expect(
            try crm.rows("SELECT file, target, rows_done, created, finished_at FROM imports") == [
                "leads.csv|leads|2|2|2026-03-02 09:00:00.000"
            ])
        #expect(try crm.rows("SELECT lead_id, kind FROM touches") == ["1|import", "2|import"])
        // SHA-256 of the file and its mapping, as sha256sum says: a file imported by an older program is known.
        #expect(
            try crm.value("SELECT digest FROM imports")
                == "c873bf99faf6a445e719f6d4902d4ef756ace3d91083640b9b53f2973497eea7")
    }

    @Test func `the same file twice changes nothing, not even when it is told to`() throws {
        let crm = try crm("email,title,consent_newsletter\nann@acme.example,Head,yes\n")
        _ = try importer(crm).run()
        let before = try crm.lastEvent
        let again = try importer(crm).run()
        #expect(again.wasDoneBefore && counts(again) == [1, 1, 0, 0, 0])
        let repeated = try importer(crm).run(repeats: true)
        #expect(!repeated.wasDoneBefore && counts(repeated) == [1, 0, 0, 1, 0])
        #expect(try crm.lastEvent == before)
        #expect(try crm.value("SELECT (SELECT count(*) FROM touches), (SELECT count(*) FROM consents)") == "1|1")
    }

    @Test func `the same file with another mapping is another import`() throws {
        let crm = try crm("email,Job\nann@acme.example,Head\n")
        _ = try importer(crm).run()
        var mapping = ImportMapping()
        mapping.columns = [Named("Job", "title")]
        let report = try importer(crm, mapping).run()
        #expect(counts(report) == [1, 0, 1, 0, 0])
        #expect(try crm.rows("SELECT title FROM leads") == ["Head"])
    }

    // MARK: - Interrupted

    @Test func `an interrupted import goes on where it stopped, and ends as if it had not been`() throws {
        let smooth = try crm(Self.many)
        let whole = try importer(smooth).run()
        let crm = try crm(Self.many)
        let first = try importer(crm).run { _, _ in false }
        #expect(first.rows == 2000)
        #expect(
            try crm.rows("SELECT stop, subject, reason FROM kernel_stops") == [
                "import interrupted|leads.csv|2000 rows done; the same import again goes on"
            ])
        let second = try importer(crm).run { _, rows in rows < 4000 }
        #expect(second.resumedAfter == 2000 && second.rows == 4000)
        let third = try importer(crm).run()
        #expect(third.resumedAfter == 4000 && third.id == first.id)
        #expect(counts(third) == counts(whole) && counts(whole) == [5000, 4950, 0, 0, 50])
        let leads = "SELECT id, email, first_name FROM leads ORDER BY id"
        #expect(try crm.rows(leads) == smooth.rows(leads))
        #expect(try rejected(crm) == rejected(smooth))
        #expect(try crm.troubles() == [])
    }

    @Test func `what a crash left in the file of rejected rows is cut off`() throws {
        let smooth = try crm(Self.many)
        _ = try importer(smooth).run()
        let crm = try crm(Self.many)
        _ = try importer(crm).run { _, _ in false }
        let path = crm.folder + "/leads.csv.rejected.csv"
        try Data((rejected(crm) + "2078,rows of a chunk that never was committed").utf8).write(to: URL(filePath: path))
        _ = try importer(crm).run()
        #expect(try rejected(crm) == rejected(smooth))
        #expect(try rejected(crm).split(separator: "\n").count == 51)
    }

    @Test func `progress says how far the file was read`() throws {
        let crm = try crm(Self.many)
        var seen: [Int] = []
        var last = 0.0
        _ = try importer(crm).run { fraction, rows in
            seen.append(rows)
            last = fraction
            return true
        }
        // After each chunk but the last, whose end is the end of the import.
        #expect(seen == [2000, 4000])
        #expect(last > 0.5 && last <= 1)
    }

    @Test func `beside a worker the transactions are short`() throws {
        func chunks(besideWorker: Bool) throws -> [Int] {
            let crm = try crm(Self.many)
            let lock = besideWorker ? try FileLock(path: crm.kernel.store.path + "-worker") : nil
            var seen: [Int] = []
            let importer = Importer(crm.kernel, file: crm.folder + "/leads.csv", mapping: ImportMapping())
            _ = try withExtendedLifetime(lock) {
                try importer.run { _, rows in
                    seen.append(rows)
                    return true
                }
            }
            return seen
        }
        #expect(try chunks(besideWorker: true) == [2000, 4000])
        #expect(try chunks(besideWorker: false) == [])
    }

    // MARK: - Rejected rows

    @Test func `a rejected row is kept as it came, with its line and the reason`() throws {
        let crm = try crm(
            "email,country,note\nann@acme.example,DE,ok\n\nbob,DE,\"says \"\"hi\"\"\"\ncleo@acme.example,Atlantis,x\ndan@rival.example,FR,x\n",
            "plugins: {door: {}}", plugins: [Door.self])
        let report = try importer(crm).run()
        #expect(counts(report) == [4, 1, 0, 0, 3])
        #expect(report.rejectedFile == crm.folder + "/leads.csv.rejected.csv")
        let lines = try rejected(crm).split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(lines.first == "line,reason,email,country,note")
        #expect(lines.contains { $0.hasPrefix("4,") && $0.hasSuffix(",bob,DE,\"says \"\"hi\"\"\"") })
        #expect(lines.contains("5,country: expected a country such as DE or Germany,cleo@acme.example,Atlantis,x"))
        #expect(lines.contains("6,no competitors,dan@rival.example,FR,x"))
        #expect(report.examples.count == 3 && report.examples.contains("line 6: no competitors"))
        let mode =
            try FileManager.default.attributesOfItem(atPath: crm.folder + "/leads.csv.rejected.csv")[.posixPermissions]
            as? Int
        #expect(mode == 0o600, "it holds addresses")
    }

    @Test func `the mark against formulas is taken away, and rejected rows have it`() throws {
        let crm = try crm(
            "email,first_name,last_name\nann@acme.example,'=1+1,'Ann\nbob,'=1+1,=2+2\ncleo@acme.example,''=1,'+1\n")
        #expect(try counts(importer(crm).run()) == [3, 2, 0, 0, 1])
        #expect(try crm.rows("SELECT first_name, last_name FROM leads ORDER BY id") == ["=1+1|'Ann", "'=1|'+1"])
        #expect(try rejected(crm).hasSuffix(",bob,'=1+1,'=2+2\n"))
    }

    @Test func `a row the database refuses is isolated, and the others are kept`() throws {
        let crm = try crm(
            "email,first_name\n" + (1...60).map { "lead\($0)@acme.example,\($0 % 20 == 7 ? "no" : "ok")\n" }.joined())
        try crm.foreign(
            "CREATE TRIGGER refuse BEFORE INSERT ON leads WHEN NEW.first_name = 'no' BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
        let report = try importer(crm).run()
        #expect(counts(report) == [60, 57, 0, 0, 3])
        #expect(
            report.examples
                == [8, 28, 48].map {
                    "line \($0): the database refused it: not this one"
                })
        #expect(try crm.value("SELECT count(*), count(DISTINCT email) FROM leads") == "57|57")
        #expect(try crm.troubles() == [])
    }

    @Test func `a row that is about two leads at once is isolated`() throws {
        let crm = try crm(
            "email,external_id,title\nann@acme.example,,a\n,B,b\nann@acme.example,B,c\nann@acme.example,,d\n")
        let report = try importer(crm).run()
        #expect(report.rejected == 1)
        #expect(report.examples == ["line 4: external_id: belongs to another lead. Merge the two first."])
        #expect(try crm.rows("SELECT email, external_id, title FROM leads") == ["ann@acme.example||d", "|B|b"])
    }

    @Test func `a number that several leads have stops one row, not the import`() throws {
        let crm = try crm("phone,title\n+4930123456,a\n+4930777777,b\n+4930123456,c\n+4930888888,d\n")
        try crm.foreign(
            "INSERT INTO leads (email, phone) VALUES ('ann@acme.example', '+4930777777'), ('bob@acme.example', '+4930777777')"
        )
        let report = try importer(crm).run()
        #expect(counts(report) == [4, 2, 1, 0, 1])
        #expect(
            report.examples == [
                "line 3: phone: more than one lead has this number. Give an email or an external_id too."
            ])
        #expect(
            try crm.rows("SELECT phone, title FROM leads WHERE email IS NULL ORDER BY phone") == [
                "+4930123456|c", "+4930888888|d",
            ])
    }

    @Test func `broken rows are rejected, short ones are filled with nothing`() throws {
        let crm = try TestKernel()
        let bytes =
            Array("email,title,city\nann@acme.example,Head\nbob@acme.example,a,b,c\n".utf8) + [
                0x63, 0x40, 0x62, 0x2e, 0x64, 0x65, 0x2c, 0x61, 0x00, 0x0a,
            ]
        try Data(bytes).write(to: URL(filePath: crm.folder + "/leads.csv"))
        let report = try importer(crm).run()
        #expect(counts(report) == [3, 1, 0, 0, 2])
        #expect(
            report.examples == [
                "line 3: row: has 1 more cells than the header", "line 4: row: contains bytes that are not valid text",
            ])
    }

    // MARK: - Dry run

    @Test func `a dry run says what would happen and changes nothing`() throws {
        let crm = try crm(Self.many)
        try crm.capture(["email": "lead1@acme.example", "first_name": "Other"])
        let before = try crm.lastEvent
        let report = try importer(crm, isDryRun: true).run()
        #expect(counts(report) == [5000, 4949, 1, 0, 50])
        #expect(report.examples.count == 20 && report.examples[0].hasPrefix("line 78: email: "))
        #expect(report.rejectedFile == nil)
        #expect(try crm.lastEvent == before)
        #expect(try crm.rows("SELECT * FROM imports") == [])
        #expect(try crm.rows("SELECT first_name FROM leads") == ["Other"])
        #expect(!FileManager.default.fileExists(atPath: crm.folder + "/leads.csv.rejected.csv"))
        #expect(counts(try importer(crm).run()) == counts(report))
    }

    // MARK: - Refused as a whole

    @Test func `a file that is not there is said so`() throws {
        let crm = try TestKernel()
        let error = try #require(throws: KernelError.self) { try importer(crm).run() }
        #expect(error.description == "There is no file \(crm.folder)/leads.csv. Check its name.")
    }

    @Test func `a file without anything a lead is known by is refused before anything is done`() throws {
        let crm = try crm("Mail,Name\nann@acme.example,Ann\n")
        let error = try #require(throws: KernelError.self) { try importer(crm).run() }
        #expect(
            error.description
                == "No column gives an email, a phone or an external_id, and a lead is known by one of them. Map one: --map \"Mail=email\"."
        )
        #expect(error.exitCode == 65)
        #expect(try crm.events() == [])
    }

    @Test func `a file whose columns do not fit was never begun, and one that was begun anew is no stop`() throws {
        let crm = try crm("email,name\nann@acme.example,Ann\n")
        var mapping = ImportMapping()
        mapping.columns = [Named("emial", "email")]
        #expect(throws: KernelError.self) { try importer(crm, mapping).run() }
        #expect(try crm.rows("SELECT * FROM imports") == [])
        try crm.foreign(
            "INSERT INTO imports (file, digest, target, started_at) VALUES ('leads.csv', 'x', 'leads', '2026-03-01')")
        #expect(
            try crm.rows("SELECT stop, reason FROM kernel_stops") == [
                "import interrupted|0 rows done; the same import again goes on"
            ])
        _ = try importer(crm).run()
        #expect(try crm.rows("SELECT * FROM kernel_stops") == [])
    }

    @Test func `a folder and a pipe are refused`() throws {
        let crm = try crm("email\nann@acme.example\n")
        #expect(throws: KernelError.usage("\(crm.folder) is a folder. Name a file.")) {
            try Importer(crm.kernel, file: crm.folder, mapping: ImportMapping()).run()
        }
        let pipe = crm.folder + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(
            throws: KernelError.usage("\(pipe) is a pipe, and an import reads its file twice. Save it to a file first.")
        ) {
            try Importer(crm.kernel, file: pipe, mapping: ImportMapping()).run()
        }
    }

    @Test func `a file that calls the address otherwise is told to map that`() throws {
        let crm = try crm("Name,E-Mail Address\nAnn,ann@acme.example\n")
        do {
            _ = try importer(crm).run()
            Issue.record("it was imported")
        } catch let error as KernelError {
            #expect("\(error)".hasSuffix("Map one: --map \"E-Mail Address=email\"."))
        }
    }
}
