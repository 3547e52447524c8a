import Foundation

/// Runs the jobs, each half in a child process, compares the rows and prints the table.
struct Bench {
    private let options: Options

    init(_ options: Options) throws {
        self.options = options
        for name in options.jobs where !Job.all.contains(where: { $0.name == name }) {
            throw BenchError("there is no job '\(name)'. There are: \(Job.all.map(\.name).joined(separator: ", ")).")
        }
    }

    /// False where the rows of a job differ.
    func run() throws -> Bool {
        guard !options.growth.isEmpty else { return try measure(options.leads, print: true).isSame }
        var isSame = true
        var rounds: [[Line]] = []
        for leads in options.growth {
            let (lines, same) = try measure(leads, print: true)
            rounds.append(lines)
            isSame = isSame && same
        }
        printGrowth(rounds)
        return isSame
    }

    /// A job as it was measured.
    struct Line {
        let job: Job
        let leads: Int
        let ours: Measurement
        let limit: Measurement
        var ratio: Double { limit.seconds > 0 ? ours.seconds / limit.seconds : .infinity }
    }

    private func measure(_ leads: Int, print shows: Bool) throws -> (lines: [Line], isSame: Bool) {
        let workspace = Workspace(folder: options.folder + "/\(leads)", leads: leads)
        try workspace.make()
        defer { if !options.keeps { workspace.remove() } }
        Table.header()
        var lines: [Line] = []
        var isSame = true
        for job in chosen {
            let line = Line(
                job: job, leads: leads, ours: try child(job.ours, workspace), limit: try child(job.limit, workspace))
            Table.line(line)
            if options.isVerbose || job.showsParts { Table.notes(line) }
            let differences = try Tally(questions: job.tally).differences(workspace)
            for difference in differences { print("MISMATCH after \(job.name): \(difference)") }
            isSame = isSame && differences.isEmpty
            lines.append(line)
        }
        return (lines, isSame)
    }

    private var chosen: [Job] {
        guard !options.jobs.isEmpty else { return Job.all }
        let needed = Set(options.jobs + Job.all.filter { options.jobs.contains($0.name) }.flatMap(\.needs))
        return Job.all.filter { needed.contains($0.name) }
    }

    // MARK: - Children

    private func child(_ phase: String, _ workspace: Workspace) throws -> Measurement {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--phase", phase, "--leads", "\(workspace.leads)", "--folder", workspace.folder]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchError("the phase \(phase) failed.") }
        return try JSONDecoder().decode(Measurement.self, from: output)
    }

    // MARK: - Growth

    /// The growth of the cost per lead, beside the growth the limit itself has.
    private func printGrowth(_ rounds: [[Line]]) {
        guard let few = rounds.first, let many = rounds.last else { return }
        print(
            "\ngrowth of the cost per lead, \(options.growth[1]) against \(options.growth[0]) leads (budget 1.10 × the limit's)"
        )
        print(Table.row(["job", "ours", "limit", "growth", "budget", ""]))
        for (before, after) in zip(few, many) where before.job.name != "start" {
            let scale = Double(before.leads) / Double(after.leads)
            let ours = after.ours.seconds / before.ours.seconds * scale
            let limit = after.limit.seconds / before.limit.seconds * scale
            let growth = ours / limit
            print(
                Table.row([
                    before.job.name, Table.number(ours), Table.number(limit), Table.number(growth), "1.10",
                    growth <= 1.1 ? "ok" : "MISSED",
                ]))
        }
    }
}

/// The table that is printed.
enum Table {
    static func header() {
        print(row(["job", "n", "ours (s)", "limit (s)", "ratio", "budget", "peak (MB)", "", ""]))
    }

    static func line(_ line: Bench.Line) {
        if let reason = line.ours.skipped ?? line.limit.skipped {
            print(
                row([line.job.name, "\(line.leads)", "-", "-", "-", number(line.job.budget), "-", "skipped: \(reason)"])
            )
            return
        }
        let megabytes = line.ours.peakKilobytes / 1024
        let isWithin = line.ratio <= line.job.budget && line.job.memoryBudget.map { megabytes <= $0 } ?? true
        let memory = line.job.memoryBudget.map { "\(megabytes) of \($0)" } ?? "\(megabytes)"
        print(
            row([
                line.job.name, "\(line.leads)", number(line.ours.seconds), number(line.limit.seconds),
                number(line.ratio),
                number(line.job.budget), memory,
                isWithin ? "ok" : "MISSED", line.job.title,
            ]))
        fflush(nil)
    }

    static func notes(_ line: Bench.Line) {
        for note in line.ours.notes { print("    ours: \(note)") }
        for note in line.limit.notes { print("    limit: \(note)") }
    }

    static func row(_ cells: [String]) -> String {
        let widths = [9, 10, 10, 10, 8, 8, 13, 8]
        return cells.enumerated().map { index, cell in
            index < widths.count
                ? cell.padding(toLength: max(widths[index], cell.count), withPad: " ", startingAt: 0) : cell
        }.joined(separator: " ")
    }

    static func number(_ value: Double) -> String {
        String(format: value < 0.1 ? "%.4f" : "%.2f", value)
    }
}
