import Foundation

/// Shows on standard error how far a long piece of work has come.
///
/// On a terminal it is one line, redrawn at most 10 times a second and wiped at the end. Elsewhere, where
/// lines stay, it is a plain line at most every 10 seconds, and if the total is known only when another tenth
/// is done or a minute has passed in silence.
///
/// ```swift
/// var bar = ProgressBar.onStandardError(label: "importing") { start.duration(to: clock.now) }
/// bar.update(fraction: 0.62, rows: 618_204)
/// bar.finish()
/// ```
public struct ProgressBar {
    /// Faster is flicker, and costs time the work needs.
    static let redrawInterval: Duration = .milliseconds(100)

    /// The pause between plain lines, for a log that stays readable.
    static let plainLineInterval: Duration = .seconds(10)

    /// The longest a log stays silent while `update` is called, so that slow work is not taken for dead.
    static let plainSilenceMax: Duration = .seconds(60)

    /// The lengths of the bar, in cells; below the least it says nothing that the percentage does not.
    static let barWidths = 5...20

    private let label: String
    private let noun: String
    private let width: (() -> Int)?
    private let now: () -> Duration
    private let write: (String) -> Void

    private let startedAt: Duration
    private var lastShownAt: Duration?
    private var tenthsShown = 0

    /// Makes a bar; nothing is shown before the first `update`.
    ///
    /// - Parameters:
    ///   - label: What is being done, such as "importing".
    ///   - noun: What is counted, in the plural.
    ///   - width: The width of the terminal in cells, asked at each redraw, or `nil` where standard error is
    ///     not a terminal.
    ///   - now: A monotonic time; only differences count, so it may start anywhere.
    ///   - write: Receives what is to appear.
    public init(
        label: String,
        noun: String = "rows",
        width: (() -> Int)?,
        now: @escaping () -> Duration,
        write: @escaping (String) -> Void
    ) {
        self.label = label
        self.noun = noun
        self.width = width
        self.now = now
        self.write = write
        self.startedAt = now()
    }

    /// A bar on the standard error of this process. A terminal that cannot erase a line (TERM=dumb) is
    /// treated as a file.
    public static func onStandardError(
        label: String,
        noun: String = "rows",
        now: @escaping () -> Duration
    ) -> ProgressBar {
        let environment = ProcessInfo.processInfo.environment
        let isRedrawable = Terminal.isTerminal(STDERR_FILENO) && environment["TERM"] != "dumb"
        let width = { Terminal.width(of: STDERR_FILENO, environment: environment) }
        return ProgressBar(label: label, noun: noun, width: isRedrawable ? width : nil, now: now) {
            // Progress that cannot be shown must not stop the work it is about.
            try? FileHandle.standardError.write(contentsOf: Data($0.utf8))
        }
    }

    /// Says how far the work is. Call it as often as convenient; most calls only look at the time.
    ///
    /// - Parameters:
    ///   - fraction: The part that is done, 0 to 1, or `nil` when the total is unknown.
    ///   - rows: How many are done.
    public mutating func update(fraction: Double?, rows: Int) {
        let time = now()
        if let width {
            if let lastShownAt, time - lastShownAt < ProgressBar.redrawInterval { return }
            // The last cell stays free: to write it would move some terminals to the next line.
            let line = line(fraction: fraction, rows: rows, elapsed: time - startedAt, width: width() - 1)
            write("\r" + line + ProgressBar.eraseToEnd)
        } else {
            let silence = time - (lastShownAt ?? startedAt)
            let tenths = ProgressBar.clamped(fraction).map { Int($0 * 10) }
            guard ProgressBar.isPlainLineDue(silence, tenths: tenths, tenthsShown: tenthsShown) else {
                return
            }
            tenthsShown = tenths ?? tenthsShown
            let parts = Parts(fraction: fraction, rows: rows, noun: noun, elapsed: time - startedAt)
            write(([label] + parts.all).joined(separator: "  ") + "\n")
        }
        lastShownAt = time
    }

    /// Wipes the line, if there is one. What comes after has the terminal to itself.
    public mutating func finish() {
        if width != nil, lastShownAt != nil { write("\r" + ProgressBar.eraseToEnd) }
        lastShownAt = nil
    }

    /// The line of a bar at one moment, at most `width` cells wide.
    ///
    /// When space runs out the bar shrinks and goes first, then the rate, then the time left. The rate and
    /// the time left are averages since the start, and are missing while there is too little to average.
    func line(fraction: Double?, rows: Int, elapsed: Duration, width: Int) -> String {
        var parts = Parts(fraction: fraction, rows: rows, noun: noun, elapsed: elapsed)
        func joined(_ bar: String?) -> String {
            ([label] + [bar].compactMap { $0 } + parts.all).joined(separator: "  ")
        }
        if let fraction = ProgressBar.clamped(fraction) {
            let spare = width - joined("").displayWidth
            if spare >= ProgressBar.barWidths.lowerBound {
                let length = min(spare, ProgressBar.barWidths.upperBound)
                return joined(ProgressBar.bar(fraction: fraction, length: length))
            }
        }
        if joined(nil).displayWidth > width { parts.rate = nil }
        if joined(nil).displayWidth > width { parts.timeLeft = nil }
        return joined(nil).shortened(to: width)
    }
}

// MARK: Pieces of a line

extension ProgressBar {
    /// "Erase in Line", ECMA-48 section 8.3.41: from the cursor to the end.
    private static let eraseToEnd = "\u{1B}[K"

    /// The words and numbers after the bar; those with nothing to say are `nil`.
    private struct Parts {
        var percentage: String?
        var count: String
        var rate: String?
        var timeLeft: String?

        init(fraction: Double?, rows: Int, noun: String, elapsed: Duration) {
            let fraction = ProgressBar.clamped(fraction)
            let seconds = elapsed / .seconds(1)
            // 100 % is only said when nothing is left.
            percentage = fraction.map { "\($0 < 1 ? min(99, Int(($0 * 100).rounded())) : 100) %" }
            count = "\(ProgressBar.grouped(rows)) \(noun)"
            rate = ProgressBar.rate(rows: rows, seconds: seconds)
            timeLeft = fraction.flatMap { ProgressBar.timeLeft(fraction: $0, seconds: seconds) }
        }

        var all: [String] { [percentage, count, rate, timeLeft].compactMap { $0 } }
    }

    private static func isPlainLineDue(_ silence: Duration, tenths: Int?, tenthsShown: Int) -> Bool {
        if silence < plainLineInterval { return false }
        guard let tenths else { return true }
        return tenths > tenthsShown || silence >= plainSilenceMax
    }

    private static func clamped(_ fraction: Double?) -> Double? {
        guard let fraction, !fraction.isNaN else { return nil }
        return min(max(fraction, 0), 1)
    }

    private static func bar(fraction: Double, length: Int) -> String {
        let rounded = Int((fraction * Double(length)).rounded())
        let filled = fraction < 1 ? min(rounded, length - 1) : length
        return String(repeating: "█", count: filled) + String(repeating: "░", count: length - filled)
    }

    /// Two digits are as much as an average is worth, and more would flicker.
    private static func rate(rows: Int, seconds: Double) -> String? {
        guard rows > 0, seconds >= 0.5 else { return nil }
        let rate = min(Double(rows) / seconds, 1e15)
        if rate < 1 { return "under 1/s" }
        var unit = 1.0
        while rate / unit >= 100 { unit *= 10 }
        return "\(grouped(Int((rate / unit).rounded() * unit)))/s"
    }

    private static func timeLeft(fraction: Double, seconds: Double) -> String? {
        guard seconds >= 1, fraction >= 0.01, fraction < 1 else { return nil }
        let left = Int(min(seconds * (1 - fraction) / fraction, 1e9).rounded(.up))
        if left < 60 { return "about \(left) s left" }
        let minutes = (left + 30) / 60
        if minutes < 60 { return "about \(minutes) min left" }
        return "about \(grouped(minutes / 60)) h \(minutes % 60) min left"
    }

    /// Digits in groups of three.
    private static func grouped(_ number: Int) -> String {
        var digits = String(number.magnitude)
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: position))
            position -= 3
        }
        return (number < 0 ? "-" : "") + digits
    }
}
