import Foundation
import Testing

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
}
