import Foundation

/// Measures each job beside its limit, in one run on one machine, and ends with 1 where the rows of the two differ.
@main
struct Main {
    static func main() {
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            if let phase = options.phase {
                try Phase.named(phase).run(in: Workspace(folder: options.folder, leads: options.leads))
            } else {
                exit(try Bench(options).run() ? 0 : 1)
            }
        } catch {
            FileHandle.standardError.write(Data("trellis-bench: \(error)\n".utf8))
            exit(64)
        }
    }
}

/// What went wrong in the bench itself.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The command line.
struct Options {
    var leads = 1_000_000
    var folder = NSTemporaryDirectory() + "trellis-bench-\(ProcessInfo.processInfo.processIdentifier)"
    /// Numbers of leads between which the cost per lead is compared.
    var growth: [Int] = []
    /// Names of the jobs to run; empty means all.
    var jobs: [String] = []
    var keeps = false
    var isVerbose = false
    /// Set in a child process: the one half of a job it runs.
    var phase: String?

    static let usage = """
        usage: trellis-bench [--leads N] [--job NAME]... [--growth] [--ten-million] [--folder DIR] [--keep] [--verbose]
          --leads N      rows of the import; 1000000 without it
          --job NAME     only this job and those it builds on: \(Job.all.map(\.name).joined(separator: ", "))
          --growth       the cost per lead at 1 million against 100 thousand, beside the limit's own growth
          --ten-million  the same at 10 million
          --folder DIR   where the files are written; a folder of its own under /tmp without it
          --keep         leave the files there
          --verbose      where the time went
        """

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        func value(_ option: String) throws -> String {
            guard let value = rest.popFirst() else { throw BenchError("\(option) needs a value.\n\(Options.usage)") }
            return value
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--leads":
                guard let count = Int(try value(argument)), count > 0 else {
                    throw BenchError("--leads needs a number.")
                }
                leads = count
            case "--job": jobs.append(try value(argument))
            case "--growth": growth = [100_000, 1_000_000]
            case "--ten-million": growth = [100_000, 10_000_000]
            case "--folder":
                folder = try value(argument)
                keeps = true
            case "--keep": keeps = true
            case "--verbose": isVerbose = true
            case "--phase": phase = try value(argument)
            default: throw BenchError("unknown option '\(argument)'.\n\(Options.usage)")
            }
        }
    }
}
