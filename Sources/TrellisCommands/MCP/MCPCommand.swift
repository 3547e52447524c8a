import ArgumentParser
import Foundation
import TrellisKernel
import TrellisServer

struct MCPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp",
        abstract: "Let an assistant ask this CRM: the Model Context Protocol on the standard input and output.",
        discussion: """
            An assistant that speaks the protocol starts it: {"command": "trellis", "args": ["mcp", "--config", "/crm/config.yaml"]}.
            It reads alone, under the same limits as the API, and tries a proposed config on copies of the file, for two minutes
            at most; with --write it may also write, logged and undoable as 'trellis sql --write'.
            """)

    @OptionGroup var global: GlobalOptions
    @Flag(help: "Offer the tool that writes. What it changes is logged and can be undone: trellis undo.")
    var write = false

    func run() throws {
        let kernel = try global.open(checks: false)
        // To write to a process that has ended is an error like any other.
        signal(SIGPIPE, SIG_IGN)
        let program = "/proc/self/exe"
        let tools = MCPTools(
            kernel: kernel, child: QueryChild(program: [program, GuardedQuery.command]),
            trials: TrialProcess(program: program))
        var server = MCPServer(
            tools: tools.reading + (write ? [tools.write] : []), resources: tools.resources,
            version: TrellisProgram.version)
        TrellisProgram.note("trellis mcp: \(write ? "reads and writes" : "reads") \(kernel.config.databasePath)")
        var lines = MCPLines(descriptor: STDIN_FILENO)
        while let line = lines.next() {
            guard let reply = server.reply(to: line) else { continue }
            guard MCPLines.write(reply, to: STDOUT_FILENO) else { break }
        }
        try kernel.close()
    }
}
