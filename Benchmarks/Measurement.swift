import Foundation

/// What one half of a job took.
struct Measurement: Codable, Sendable {
    var seconds = 0.0
    var peakKilobytes = 0
    /// Why nothing was measured; nil where something was.
    var skipped: String?
    /// Where the time went, in order.
    var notes: [String] = []

    func text() throws -> String {
        String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
    }

    /// The most memory this process ever held (VmHWM of proc(5)).
    static func peakOfThisProcess() -> Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        else { return 0 }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
}

extension Measurement {
    /// What the processors did for this process, the opening of the files included: on a busy machine it says more
    /// than a clock.
    static func processorTime() -> String {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return String(format: "processor %.2f s", Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }
}

/// Adds up the time of the parts of a job.
struct Stopwatch {
    private let begin = ContinuousClock.now
    private var last = ContinuousClock.now
    private(set) var notes: [String] = []

    /// Notes the time since the note before.
    mutating func note(_ part: String) {
        let now = ContinuousClock.now
        notes.append("\(part) \(Stopwatch.text(now - last))")
        last = now
    }

    mutating func note(_ lines: [String]) {
        notes += lines
    }

    var measurement: Measurement {
        Measurement(seconds: Stopwatch.seconds(ContinuousClock.now - begin), notes: notes)
    }

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    static func text(_ duration: Duration) -> String {
        String(format: "%.2f s", seconds(duration))
    }
}
