import ArgumentParser
import Testing
import TrellisKernel

@testable import TrellisCommands

struct SQLCommandTests {
    @Test func `options of the command may stand after the query, among its parameters`() throws {
        var command = try SQLCommand.parse([
            "hot-leads", "--country", "DE", "--format", "csv", "--limit", "5", "--days", "7",
        ])
        try command.takeOwnOptions()
        #expect(command.parameters == ["--country", "DE", "--days", "7"])
        #expect(command.format == "csv")
        #expect(command.limit == 5)
    }

    @Test func `an option without its value is refused`() throws {
        var command = try SQLCommand.parse(["hot-leads", "--format"])
        #expect {
            try command.takeOwnOptions()
        } throws: { "\($0)" == "--format needs a value." }
    }

    @Test(arguments: [["--limit", "x"], ["--limit", "-1"]])
    func `a limit is a number of rows`(words: [String]) throws {
        var command = try SQLCommand.parse(["SELECT 1"] + words)
        #expect {
            try command.ask()
        } throws: { "\($0)" == "--limit takes a number of rows, 0 meaning all, got '\(words[1])'." }
    }

    @Test(arguments: [
        (["--memory", "x"], "--memory takes MB, got 'x'."),
        (["--memory", "8"], "--memory takes MB, from 16 to 1048576, got '8'."),
        (["--seconds", "x"], "--seconds takes seconds, got 'x'."),
        (["--seconds", "0"], "--seconds takes seconds, from 0.1 to 86400, got '0.0'."),
        (["--write", "--memory", "64"], "--memory limits reading. Leave it out, or leave out --write."),
        (["--write", "--watch", "1"], "--watch would write again and again. Leave it out, or leave out --write."),
    ])
    func `a limit of reading is a number that something holds`(words: [String], sentence: String) throws {
        var command = try SQLCommand.parse(["SELECT 1"] + words)
        #expect {
            try command.ask()
        } throws: { "\($0)" == sentence }
    }

    @Test(arguments: [
        (["--memory", "-5"], "--memory takes MB, from 16 to 1048576, got '-5'."),
        (["--memory=-5"], "--memory takes MB, from 16 to 1048576, got '-5'."),
        (["--seconds", "-1"], "--seconds takes seconds, from 0.1 to 86400, got '-1.0'."),
        (["--seconds", "nan"], "--seconds takes seconds, from 0.1 to 86400, got 'nan'."),
        (["--limit", "-1"], "--limit takes a number of rows, 0 meaning all, got '-1'."),
        (["--watch", "-1"], "--watch takes seconds, from 0.1 to 86400."),
    ])
    func `a number that cannot be is named, before the query and after it`(words: [String], sentence: String) throws {
        for line in [words + ["SELECT 1"], ["SELECT 1"] + words] {
            var command = try SQLCommand.parse(line)
            #expect {
                try command.ask()
            } throws: { "\($0)" == sentence }
        }
    }

    @Test func `an option with its value in one word is one after the query too`() throws {
        var command = try SQLCommand.parse(["hot-leads", "--limit=5", "--country=DE", "--format=csv"])
        try command.takeOwnOptions(but: ["--format"])
        #expect(command.limit == 5 && command.parameters == ["--country=DE", "--format=csv"])
    }

    @Test func `a statement that grows without end is stopped with what would let it go on, and rows stream past`()
        throws
    {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0 && trellis.run("import", "leads.csv").code == 0)
        let grows =
            "The statement needed more than 32 MB of memory and was stopped. Ask for less, or give it more with --memory MB."
        let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        for (sql, sentence) in [
            (
                "WITH RECURSIVE n (i, t) AS (SELECT 1, hex(zeroblob(1000)) UNION SELECT i + 1, t FROM n) SELECT count(*) FROM n",
                grows
            ),
            ("\(endless) SELECT i, hex(zeroblob(500)) FROM n ORDER BY random()", grows),
            ("SELECT zeroblob(1000000000)", "A value of the statement is longer than 2 MB, a sixteenth"),
        ] {
            let outcome = try trellis.run("sql", "--memory", "32", sql)
            #expect(outcome.code == 65 && outcome.errors.contains(sentence), "\(sql): \(outcome)")
        }
        let late = try trellis.run("sql", "\(endless) SELECT count(*) FROM n", "--seconds", "0.2")
        #expect(late.code == 65 && late.errors.contains("took longer than 0.2 s and was stopped."), "\(late)")
        let rows = try trellis.run(
            "sql", "--memory", "32", "--format", "csv", "\(endless) SELECT i, hex(zeroblob(500)) FROM n LIMIT 50000")
        #expect(rows.code == 0 && rows.output.utf8.count > 50_000_000, "\(rows.errors)")
        let chart = try trellis.run("sql", "--chart", "\(endless) SELECT hex(zeroblob(500)), i FROM n LIMIT 50000")
        #expect(chart.code == 65 && chart.errors.contains("these are more than 16 MB"), "\(chart.errors)")
    }

    @Test(arguments: TableFormat.allCases)
    func `a table ends on a terminal after 1000 rows, and what programs read ends nowhere`(format: TableFormat) {
        let isForPrograms = [TableFormat.csv, .json, .jsonl].contains(format)
        #expect(SQLSession.most(nil, of: format, onTerminal: true) == (isForPrograms ? .max : 1_000))
        #expect(SQLSession.most(5, of: format, onTerminal: true) == 5)
        #expect(SQLSession.most(0, of: format, onTerminal: true) == .max)
        #expect(SQLSession.most(5, of: format, onTerminal: false) == .max)
    }

    @Test(arguments: [["--format", "csv"], ["--format", "json"], ["--chart"]])
    func `rows that are cut on a terminal are never cut in silence`(form: [String]) throws {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0 && trellis.run("import", "leads.csv").code == 0)
        let three = "SELECT value AS a, value AS b FROM json_each('[111,222,333]')"
        let cut = try trellis.runOnTerminal(["sql", three, "--limit", "2"] + form)
        #expect(cut.code == 0 && cut.output.contains("222") && !cut.output.contains("333"), "\(cut)")
        #expect(cut.errors == "2 rows are shown, and there are more. All of them: --limit 0.\n")
        let whole = try trellis.runOnTerminal(["sql", three] + form)
        #expect(whole.code == 0 && whole.output.contains("333") && whole.errors.isEmpty, "\(whole)")
    }

    @Test func `a query of the config has its own form where nobody names one`() throws {
        #expect(TableFormat.allCases.map(\.rawValue) == AnswerFormat.allCases.map(\.rawValue))
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0 && trellis.run("import", "leads.csv").code == 0)
        try trellis.write(
            """
            database: crm.sqlite
            queries:
              saved: {format: csv, sql: SELECT 1 AS one}
              bars: {chart: true, sql: "SELECT 'a' AS label, 4 AS number"}
            """, to: "saved.yaml")
        let ask = { (words: [String]) in
            try trellis.run(TrellisProcess.path, ["sql", "--config", "saved.yaml"] + words).output
        }
        #expect(try ask(["saved"]) == "one\n1\n")
        #expect(try ask(["saved", "--format", "jsonl"]) == "{\"one\":1}\n")
        #expect(try ask(["bars"]).hasPrefix("a  4  ####"))
        #expect(try ask(["bars", "--format", "csv"]) == "label,number\na,4\n")
        #expect(try ask(["SELECT '=1+1' AS a", "--format", "csv"]) == "a\n'=1+1\n")
        #expect(try ask(["SELECT '=1+1' AS a", "--format", "csv", "--raw"]) == "a\n=1+1\n")
    }

    @Test func `commands that begin with a dot are answered outside the prompt as in it`() throws {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0 && trellis.run("import", "leads.csv").code == 0)
        let schema = try trellis.run("sql", ".schema", "leads")
        #expect(schema.code == 0 && schema.output.contains("CREATE TABLE leads ("), "\(schema)")
        #expect(try trellis.run("sql", ".schema leads").output == schema.output)
        let piped = try trellis.run("/bin/bash", ["-c", "echo .schema leads | \"$0\" sql", TrellisProcess.path])
        #expect(piped.code == 0 && piped.output == schema.output, "\(piped)")
        let tables = try trellis.run("sql", ".tables", "--format", "csv").output
        #expect(tables.hasPrefix("name,type\n") && tables.contains("\nleads,table\n"), "\(tables)")
        #expect(try trellis.run("sql", ".queries").output.contains("hot-leads"))
        for (words, sentence) in [
            ([".mode", "csv"], ".mode is for the prompt. Here it is an option: --format csv."),
            ([".format", "csv"], ".format is for the prompt. Here it is an option: --format csv."),
            ([".chart"], ".chart is for the prompt. Here it is an option: --chart."),
            ([".tabels"], "There is no command '.tabels'. Did you mean '.tables'? See .help."),
        ] {
            let outcome = try trellis.run(TrellisProcess.path, ["sql"] + words)
            #expect(outcome.code == 64 && outcome.errors.contains(sentence), "\(outcome)")
        }
    }

    @Test func `a statement that fails in a pipe decides how the command ends, and the others are run`() throws {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0 && trellis.run("import", "leads.csv").code == 0)
        let piped = { (text: String) in
            try trellis.run(
                "/bin/bash", ["-c", "printf '%s' \"$0\" | \"$1\" sql --format csv", text, TrellisProcess.path])
        }
        let failed = try piped("SELECT bad;\nSELECT 7 AS seven;\n")
        #expect(
            failed.code == 65 && failed.errors.contains("no such column: bad") && failed.output.contains("seven\n7"))
        #expect(try piped("SELECT 7;\nSELECT bad").code == 65)
        #expect(try piped(".nonsense\nSELECT 7;\n.quit\n").code == 64)
        #expect(try piped("SELECT 7;\n.quit\nSELECT bad;").code == 0)
    }
}
