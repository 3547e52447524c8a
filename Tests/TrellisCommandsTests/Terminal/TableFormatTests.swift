import Testing
import TrellisKernel

@testable import TrellisCommands

struct TableFormatTests {
    private let people = Table(
        columns: ["id", "name", "score"],
        rows: [[1, "Ada Lovelace", 12.5], [20, .null, 3.0], [300, "Grace", .null]]
    )

    private func rendered(_ format: TableFormat, _ text: String) -> String {
        format.rendered(Table(columns: ["note"], rows: [[.text(text)]]), width: nil, colour: false)
    }

    private func terminalTable(_ table: Table, width: Int) -> String {
        TableFormat.table.rendered(table, width: width, colour: false)
    }

    // MARK: Table

    @Test func `a table aligns words to the left and numbers to the right`() {
        #expect(
            terminalTable(people, width: 80) == """
                 id  name          score
                ───  ────────────  ─────
                  1  Ada Lovelace   12.5
                 20  ·               3.0
                300  Grace             ·

                """
        )
    }

    @Test func `a NULL is not the text NULL`() {
        let table = Table(columns: ["a", "b"], rows: [[.null, "NULL"]])
        #expect(TableFormat.table.rendered(table, width: 40, colour: false).hasSuffix("·  NULL\n"))
        #expect(TableFormat.table.rendered(table, width: nil, colour: false).hasSuffix("   NULL\n"))
        #expect(TableFormat.csv.rendered(table, width: nil, colour: false) == "a,b\n,NULL\n")
        #expect(
            TableFormat.jsonl.rendered(table, width: nil, colour: false) == #"{"a":null,"b":"NULL"}"# + "\n"
        )
    }

    @Test func `a colour terminal shows bold headers, a dim rule and a dim NULL`() {
        let table = Table(columns: ["a"], rows: [[.null]])
        #expect(
            TableFormat.table.rendered(table, width: 40, colour: true)
                == "\u{1B}[1ma\u{1B}[0m\n\u{1B}[2m─\u{1B}[0m\n\u{1B}[2m·\u{1B}[0m\n"
        )
    }

    @Test(arguments: TableFormat.allCases)
    func `a pipe gets no colour and nothing is shortened`(format: TableFormat) {
        let long = String(repeating: "x", count: 500)
        let output = format.rendered(Table(columns: ["a"], rows: [[.text(long)]]), width: nil, colour: true)
        #expect(!output.contains("\u{1B}"))
        #expect(output.contains(long))
    }

    @Test func `controls and newlines are shown as pictures`() {
        #expect(
            rendered(.table, "one\ntwo\r\n\u{1B}[31m\u{7F}\u{9B}\u{202E}") == """
                note
                ─────────────────────────────
                one␊two␍␊␛[31m␡\\u{9B}\\u{202E}

                """
        )
    }

    @Test func `wide characters take two cells and combining marks none`() {
        let table = Table(
            columns: ["word", "n"],
            rows: [["日本", 1], ["e\u{301}te\u{301}", 2], ["👩‍💻🇩🇪", 3], ["한글", 4], ["abcd", 5]]
        )
        #expect(
            terminalTable(table, width: 40) == """
                word  n
                ────  ─
                日本  1
                e\u{301}te\u{301}   2
                👩‍💻🇩🇪  3
                한글  4
                abcd  5

                """
        )
    }

    @Test func `the widest column is shortened first`() {
        let table = Table(
            columns: ["id", "mail", "note"],
            rows: [[1, "ada@example.org", "a note that goes on and on and on"]]
        )
        #expect(
            terminalTable(table, width: 36) == """
                id  mail             note
                ──  ───────────────  ───────────────
                 1  ada@example.org  a note that go…

                """
        )
    }

    @Test func `numbers are shortened only when words cannot give way`() {
        let row: [Cell] = [1_234_567_890_123, "a long enough text"]
        let table = Table(columns: ["n", "t"], rows: [row])
        #expect(terminalTable(table, width: 24).hasSuffix("1234567890123  a long e…\n"))
        #expect(terminalTable(table, width: 20).hasSuffix("12345678…  a long e…\n"))
    }

    @Test func `a shortened line never exceeds the terminal`() {
        let table = Table(columns: ["a", "b", "c"], rows: [["日本語日本語日本語", "plain but long text", "x"]])
        for width in 21...60 {
            for line in terminalTable(table, width: width).split(separator: "\n") {
                #expect(String(line).displayWidth <= width)
            }
        }
    }

    @Test func `too many columns turn into one record a row`() {
        let table = Table(
            columns: ["id", "first_name", "last_name"],
            rows: [[1, "Ada Augusta", "Lovelace"], [2, .null, "Hopper of the Navy"]]
        )
        #expect(
            terminalTable(table, width: 20) == """
                ── 1 ──
                id          1
                first_name  Ada Augusta
                last_name   Lovelace
                ── 2 ──
                id          2
                first_name  ·
                last_name   Hopper of the Navy

                """
        )
    }

    @Test func `no rows is said in words where people read`() {
        let table = Table(columns: ["id"])
        #expect(TableFormat.table.rendered(table, width: 80, colour: false) == "(no rows)\n")
        #expect(
            TableFormat.markdown.rendered(table, width: nil, colour: false)
                == "| id  |\n| --- |\n\n(no rows)\n"
        )
        #expect(TableFormat.csv.rendered(table, width: nil, colour: false) == "id\n")
        #expect(TableFormat.json.rendered(table, width: nil, colour: false) == "[]\n")
        #expect(TableFormat.jsonl.rendered(table, width: nil, colour: false) == "")
    }

    @Test(arguments: TableFormat.allCases)
    func `a statement without columns is no trouble`(format: TableFormat) {
        let output = format.rendered(Table(columns: []), width: 80, colour: false)
        #expect(["(no rows)\n", "", "[]\n"].contains(output))
    }

    @Test func `a truncated table says how to see the rest, and data stays data`() {
        let table = Table(columns: ["id"], rows: [[1]], isTruncated: true)
        #expect(
            TableFormat.table.rendered(table, width: 80, colour: false) == """
                id
                ──
                 1
                … more rows; add LIMIT, or --limit 0

                """
        )
        #expect(TableFormat.csv.rendered(table, width: 80, colour: false) == "id\n1\n")
        #expect(TableFormat.json.rendered(table, width: 80, colour: false) == "[\n  {\"id\":1}\n]\n")
    }

    // MARK: CSV

    @Test func `CSV quotes what would break it, and only that`() {
        let table = Table(
            columns: ["a,b", "c"],
            rows: [["say \"hi\"", "x\r\ny"], ["", .null], [" plain ", .blob([0, 255])], [1.0, -5]]
        )
        #expect(
            TableFormat.csv.rendered(table, width: nil, colour: false)
                == "\"a,b\",c\n\"say \"\"hi\"\"\",\"x\r\ny\"\n\"\",\n plain ,x'00ff'\n1.0,-5\n"
        )
    }

    @Test func `what a spreadsheet would calculate is text in CSV, unless it is raw`() {
        let row: [Cell] = ["=1+1", "@a", "\t=1", "＝1", "-cmd,1", -5, "-5"]
        func line(isRaw: Bool) -> String? {
            var output = ""
            var writer = RowWriter(format: .csv, columns: ["a", "b", "c", "d", "e", "f", "g"], isRaw: isRaw) {
                output += $0
            }
            writer.append(row)
            writer.finish()
            return output.split(separator: "\n").last.map(String.init)
        }
        #expect(line(isRaw: false) == "'=1+1,'@a,'\t=1,'＝1,\"'-cmd,1\",-5,-5")
        #expect(line(isRaw: true) == "=1+1,@a,\t=1,＝1,\"-cmd,1\",-5,-5")
        #expect(TableFormat.csv.rendered(Table(columns: ["=a"], rows: []), width: nil, colour: false) == "'=a\n")
    }

    @Test func `a quote under a combining mark is still doubled in CSV`() {
        #expect(rendered(.csv, "\"\u{301},") == "note\n\"\"\"\u{301},\"\n")
    }

    @Test func `a lone NULL does not become an empty line`() {
        let table = Table(columns: ["a"], rows: [[.null]])
        #expect(TableFormat.csv.rendered(table, width: nil, colour: false) == "a\n\"\"\n")
    }

    // MARK: JSON

    @Test func `JSON is an array with one object to a line`() {
        #expect(
            TableFormat.json.rendered(people, width: nil, colour: false) == """
                [
                  {"id":1,"name":"Ada Lovelace","score":12.5},
                  {"id":20,"name":null,"score":3.0},
                  {"id":300,"name":"Grace","score":null}
                ]

                """
        )
    }

    @Test func `JSON keeps large integers, drops what is no number, and carries bytes as base64`() {
        let table = Table(
            columns: ["v"],
            rows: [
                [9_007_199_254_740_993], [.integer(.min)], [.real(.nan)], [.real(-.infinity)], [1e300],
                [.blob([0xDE, 0xAD, 0xBE, 0xEF])], [.blob([])],
            ]
        )
        #expect(
            TableFormat.jsonl.rendered(table, width: nil, colour: false) == """
                {"v":9007199254740993}
                {"v":-9223372036854775808}
                {"v":null}
                {"v":null}
                {"v":1e+300}
                {"v":"3q2+7w=="}
                {"v":""}

                """
        )
    }

    @Test func `JSON escapes quotes, backslashes and controls`() {
        #expect(
            rendered(.jsonl, "\"\\\r\n\t\u{0}\u{1B}\u{9B}é/日")
                == #"{"note":"\"\\\r\n\t\u0000\u001b\u009bé/日"}"# + "\n"
        )
    }

    @Test func `a late control is escaped in JSON even where nothing else is`() {
        #expect(rendered(.jsonl, "a\u{9B}é") == #"{"note":"a\u009bé"}"# + "\n")
    }

    @Test func `the second column of a name gets a number in JSON`() {
        let table = Table(columns: ["id", "id", "id", "id:2"], rows: [[1, 2, 3, 4]])
        #expect(
            TableFormat.jsonl.rendered(table, width: nil, colour: false)
                == "{\"id\":1,\"id:3\":2,\"id:4\":3,\"id:2\":4}\n"
        )
        let pair = Table(columns: ["id", "id"], rows: [[1, 2]])
        #expect(TableFormat.jsonl.rendered(pair, width: nil, colour: false) == "{\"id\":1,\"id:2\":2}\n")
    }

    // MARK: Markdown

    @Test func `Markdown aligns its source and marks the columns of numbers`() {
        #expect(
            TableFormat.markdown.rendered(people, width: 10, colour: true) == """
                |  id | name         | score |
                | --: | ------------ | ----: |
                |   1 | Ada Lovelace |  12.5 |
                |  20 |              |   3.0 |
                | 300 | Grace        |       |

                """
        )
    }

    @Test func `Markdown in a cell stays text`() {
        #expect(
            rendered(.markdown, #"a|b \| <b> *x* `y` [z] snake_case"# + "\r\nnext").hasSuffix(
                #"| a\|b \\\| \<b> \*x\* \`y\` \[z] snake_case<br>next |"# + "\n"
            )
        )
    }

    // MARK: Row writer

    @Test(arguments: TableFormat.allCases, [nil, 30, 12])
    func `rows written one by one read like the whole table`(format: TableFormat, width: Int?) {
        var output = ""
        var writer = RowWriter(format: format, columns: people.columns, width: width) { output += $0 }
        for row in people.rows { writer.append(row) }
        writer.finish()
        #expect(output == format.rendered(people, width: width, colour: false))
    }

    @Test(arguments: [TableFormat.csv, .json, .jsonl])
    func `data formats write each row as it comes`(format: TableFormat) {
        var writes = 0
        var writer = RowWriter(format: format, columns: ["id"]) { _ in writes += 1 }
        writer.append([1])
        let afterFirst = writes
        writer.append([2])
        #expect(afterFirst > 0)
        #expect(writes == afterFirst + 1)
    }

    @Test func `a table holds a thousand rows and then keeps their widths`() {
        var output = ""
        var writer = RowWriter(format: .table, columns: ["word"], width: 40) { output += $0 }
        for _ in 1..<RowWriter.measuredRowsMax { writer.append(["abcd"]) }
        #expect(output.isEmpty)
        writer.append(["abcd"])
        #expect(output.hasPrefix("word\n────\nabcd\n"))
        writer.append(["abcdefgh"])
        #expect(output.hasSuffix("abcd\nabc…\n"))
    }

    @Test func `a table of long rows holds only so many bytes of them`() {
        var output = ""
        var writer = RowWriter(
            format: .table, columns: ["word"], width: 40, colour: false, measuredRowsMax: 1_000, measuredBytesMax: 100
        ) { output += $0 }
        writer.append([.text(String(repeating: "a", count: 10))])
        #expect(output.isEmpty)
        writer.append([.text(String(repeating: "b", count: 90))])
        #expect(output.contains("aaaaaaaaaa\n") && output.contains("bbb"))
    }

    @Test func `a piped row beyond the measured ones is written whole`() {
        var output = ""
        var writer = RowWriter(format: .table, columns: ["word"]) { output += $0 }
        for _ in 1...RowWriter.measuredRowsMax { writer.append(["abcd"]) }
        writer.append(["abcdefgh"])
        #expect(output.hasSuffix("abcd\nabcdefgh\n"))
    }

    @Test(arguments: TableFormat.allCases)
    func `a query that fails at once leaves no output`(format: TableFormat) {
        var output = ""
        _ = RowWriter(format: format, columns: ["id"]) { output += $0 }
        #expect(output.isEmpty)
    }

    @Test func `a row of the wrong length is brought to the columns`() {
        let table = Table(columns: ["a", "b"], rows: [[1], [1, 2, 3]])
        #expect(TableFormat.csv.rendered(table, width: nil, colour: false) == "a,b\n1,\n1,2\n")
    }

    // MARK: Cells and colour

    @Test func `a cell reads as the shortest text that means the same`() {
        let cells: [Cell] = [.null, 7, 0.1, 5.0, 1e20, "", .blob([]), .blob([0x0A, 0xFF]), true]
        #expect(cells.map(\.text) == [nil, "7", "0.1", "5.0", "1e+20", "", "x''", "x'0aff'", "1"])
    }

    @Test func `colour needs a terminal that can and a person who wants it`() {
        #expect(Terminal.allowsColour(isTerminal: true, environment: ["TERM": "xterm"]))
        #expect(Terminal.allowsColour(isTerminal: true, environment: ["NO_COLOR": ""]))
        #expect(!Terminal.allowsColour(isTerminal: true, environment: ["NO_COLOR": "1"]))
        #expect(!Terminal.allowsColour(isTerminal: true, environment: ["TERM": "dumb"]))
        #expect(!Terminal.allowsColour(isTerminal: false, environment: [:]))
    }

    @Test func `a style without colour gives the text back`() {
        #expect(TextStyle(isColoured: false).red("x") == "x")
        #expect(TextStyle(isColoured: true).red("x") == "\u{1B}[31mx\u{1B}[0m")
        #expect(TextStyle(isColoured: true).red("") == "")
    }

    @Test func `a descriptor that is no terminal takes its width from COLUMNS, else 80`() {
        #expect(Terminal.width(of: -1, environment: ["COLUMNS": "132"]) == 132)
        #expect(Terminal.width(of: -1, environment: ["COLUMNS": "-3"]) == 80)
        #expect(Terminal.width(of: -1, environment: [:]) == 80)
        #expect(Terminal.attached(to: -1, environment: ["COLUMNS": "132"]).width == nil)
    }
}
