import Foundation
import Testing
import TrellisKernel

@testable import TrellisCommands

@Suite struct MCPCommandTests {
    private func lines(_ bytes: [UInt8]) throws -> [MCPLines.Line] {
        let pipe = Pipe()
        let writer = Thread {
            try? pipe.fileHandleForWriting.write(contentsOf: Data(bytes))
            try? pipe.fileHandleForWriting.close()
        }
        writer.start()
        return Array(MCPLines(descriptor: pipe.fileHandleForReading.fileDescriptor))
    }

    @Test func `lines come one by one, the last also without its end`() throws {
        #expect(try lines(Array("a\n\nb\r\nc".utf8)) == [.text("a"), .text(""), .text("b\r"), .text("c")])
        #expect(try lines([]) == [])
        #expect(try lines([0xFF, 0x0A, 0x61, 0x0A]) == [.notUTF8, .text("a")])
    }

    @Test func `a line of more than a megabyte is passed over, and the next one is read`() throws {
        let long = [UInt8](repeating: 0x61, count: 3 << 20)
        #expect(try lines(long + Array("\nb\n".utf8)) == [.tooLong, .text("b")])
        #expect(try lines(long) == [.tooLong])
        let most = [UInt8](repeating: 0x61, count: MCPLines.bytesMax)
        #expect(try lines(most + Array("\nb".utf8)).last == .text("b"))
        #expect(try lines(most + Array("\nb".utf8)).first != .tooLong)
    }

    @Test func `an assistant on two pipes is answered line by line until it leaves`() throws {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0 && trellis.run("work", "--until-idle").code == 0)
        let questions = [
            #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}"#,
            #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "no JSON",
            #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"query","arguments":{"sql":"SELECT count(*) AS n FROM stages"}}}"#,
            String(repeating: "x", count: 2 << 20),
            #"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"write","arguments":{"sql":"DELETE FROM stages"}}}"#,
            #"{"jsonrpc":"2.0","id":4,"method":"ping"}"#,
        ]
        try trellis.write(questions.joined(separator: "\n"), to: "questions")
        let outcome = try trellis.run("/bin/sh", ["-c", "exec \(TrellisProcess.path) mcp < questions"])
        #expect(outcome.code == 0)
        let answers = outcome.output.split(separator: "\n").map(String.init)
        #expect(answers.count == 6, "\(outcome.output) \(outcome.errors)")
        #expect(answers.allSatisfy { $0.hasPrefix(#"{"jsonrpc":"2.0","id":"#) })
        #expect(answers.dropFirst(2).first?.contains(#"\"columns\":[\"n\"]"#) == true)
        #expect(answers.last == #"{"jsonrpc":"2.0","id":4,"result":{}}"#)
        #expect(outcome.errors.hasPrefix("trellis mcp: reads "))
    }

    private func call(_ tool: String, _ arguments: [(key: String, value: JSONValue)]) -> String {
        JSONValue.object([
            ("jsonrpc", .string("2.0")), ("id", .integer(1)), ("method", .string("tools/call")),
            ("params", .object([("name", .string(tool)), ("arguments", .object(arguments))])),
        ]).text()
    }

    @Test func `another config is planned and simulated on a copy, and the file stays as it is`() throws {
        let trellis = try TrellisProcess()
        _ = try trellis.run("init")
        _ = try trellis.run("import", "leads.csv")
        _ = try trellis.run("work", "--until-idle")
        let old = try String(contentsOfFile: trellis.folder + "/config.yaml", encoding: .utf8)
        let new = old.replacing("points: 20}", with: "points: 60}")
        try trellis.write(new, to: "new.yaml")
        let questions = [
            #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#, call("plan", []),
            call("plan", [("file", .string("new.yaml")), ("rebuild", .string("scoring"))]),
            call("plan", [("text", .string(new)), ("rebuild", .string("scoring")), ("who", .integer(2))]),
            call("plan", [("text", .string(old + "\nlimts: {}\n"))]),
            call("simulate", [("days", .integer(2)), ("leads_per_day", .integer(3)), ("seed", .integer(7))]),
            call("simulate", [("days", .integer(1)), ("file", .string("new.yaml"))]),
        ]
        try trellis.write(questions.joined(separator: "\n"), to: "questions")
        let outcome = try trellis.run("/bin/sh", ["-c", "exec \(TrellisProcess.path) mcp < questions"])
        let results = outcome.output.split(separator: "\n").dropFirst().map { line in
            JSONValue(parsing: String(line))?["result"]
        }
        try #require(results.count == 6, "\(outcome.output) \(outcome.errors)")
        let texts = results.map { $0?["content"]?.elements.first?["text"]?.scalarText ?? "" }
        #expect(results.map { $0?["isError"] == .bool(true) } == [false, false, false, true, false, false], "\(texts)")
        #expect(texts[0].hasPrefix("This config is in force. Nothing would change.\n\n[]"))
        for text in texts[1...2] {
            #expect(text.contains("lead → mql") && text.contains("\nNothing was changed.\n\n["), "\(text)")
        }
        #expect(texts[1].contains(#"{"area":"stage","item":"lead → mql","change":"move","count":"#), "\(texts[1])")
        #expect(texts[2].contains("\nstage lead → mql, move: ") && texts[2].contains("•••@"), "\(texts[2])")
        let planned = texts[2].split(separator: "\n\n").dropFirst().first.flatMap { JSONValue(parsing: String($0)) }
        let move = planned?.elements.first { $0["item"] == .string("lead → mql") }
        #expect(move?["leads"]?.elements.count == 2, "\(texts[2])")
        #expect(texts[3].contains("limts") && texts[3].contains("the new config:"), "\(texts[3])")
        #expect(texts[4].hasPrefix("2d from ") && texts[4].contains("3 a day (given)"), "\(texts[4])")
        #expect(texts[5].contains("under config.yaml → the other config"), "\(texts[5])")
        #expect(try String(contentsOfFile: trellis.folder + "/config.yaml", encoding: .utf8) == old)
        #expect(try trellis.run("plan").output == "This config is in force. Nothing would change.\n")
    }

    @Test func `an error of SQLite in a trial tells a person its words, and an assistant its code alone`() throws {
        let trellis = try TrellisProcess()
        _ = try trellis.run("init")
        _ = try trellis.run("import", "leads.csv")
        _ = try trellis.run("work", "--until-idle")
        let old = try String(contentsOfFile: trellis.folder + "/config.yaml", encoding: .utf8)
        let telling = old.replacing(
            #"enter: {on: consent.granted, where: "purpose = 'newsletter'"}"#,
            with: #"enter: {when: "json_extract('{}', email) IS NULL"}"#)
        try #require(telling != old)
        try trellis.write(telling, to: "new.yaml")
        let shown = try trellis.run("plan", "new.yaml")
        #expect(shown.output.contains("are missed, for a condition fails: JSON path error near '"), "\(shown)")
        let unsound = old.replacing("purpose = 'newsletter'\"}\n", with: "no_column = 1\"}\n")
        let questions = [
            #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#, call("plan", [("text", .string(telling))]),
            call("simulate", [("days", .integer(1)), ("text", .string(telling))]),
            call("plan", [("text", .string(unsound))]),
        ]
        try trellis.write(questions.joined(separator: "\n"), to: "questions")
        let outcome = try trellis.run("/bin/sh", ["-c", "exec \(TrellisProcess.path) mcp < questions"])
        let texts = outcome.output.split(separator: "\n").dropFirst().map { line in
            JSONValue(parsing: String(line))?["result"]?["content"]?.elements.first?["text"]?.scalarText ?? ""
        }
        try #require(texts.count == 3, "\(outcome.output) \(outcome.errors)")
        for text in texts[0...1] {
            #expect(text.contains("SQLite ended a statement with an error (code 1, SQL logic error)"), "\(text)")
            #expect(!text.contains("JSON path") && !text.contains("@"), "\(text)")
        }
        #expect(texts[2].contains("the new config:") && texts[2].contains("no_column"), "\(texts[2])")
    }
}
