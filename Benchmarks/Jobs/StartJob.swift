import Foundation

/// What a question to the file costs when the program has to start for it.
enum StartJob {
    static let starts = 50

    static let ours = Phase("start") { workspace in
        let program =
            URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path + "/trellis"
        guard access(program, X_OK) == 0 else {
            return Measurement(skipped: "build the product trellis in release first")
        }
        return try median(program, ["sql", "--config", workspace.folder + "/ours.yaml", "SELECT 1"])
    }

    static let limit = Phase("start-limit") { workspace in
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        guard let program = folders.map({ String($0) + "/sqlite3" }).first(where: { access($0, X_OK) == 0 }) else {
            return Measurement(skipped: "there is no sqlite3 in PATH")
        }
        return try median(program, [workspace.oursPath, "SELECT 1"])
    }

    private static func median(_ program: String, _ arguments: [String]) throws -> Measurement {
        var times: [Double] = []
        for _ in 0..<starts {
            let begin = ContinuousClock.now
            try start(program, arguments)
            times.append(Stopwatch.seconds(ContinuousClock.now - begin))
        }
        return Measurement(seconds: times.sorted()[starts / 2])
    }

    /// Starts a process without a word on its output, and waits for its end.
    private static func start(_ program: String, _ arguments: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid = pid_t()
        guard posix_spawn(&pid, program, &actions, nil, &words, environ) == 0 else {
            throw BenchError("\(program) cannot be started.")
        }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        guard status == 0 else { throw BenchError("\(program) ended with \(status >> 8).") }
    }
}
