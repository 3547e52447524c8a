import Testing

@testable import TrellisCommands

struct ProgressBarTests {
    /// A clock that stands still until a test moves it, and the text a bar wrote.
    private final class Stage {
        var time: Duration = .seconds(1_000)
        var output = ""

        func bar(width: Int?) -> ProgressBar {
            ProgressBar(
                label: "importing",
                width: width.map { width in { width } },
                now: { self.time },
                write: { self.output += $0 }
            )
        }
    }

    private func line(_ fraction: Double?, rows: Int, seconds: Double, width: Int = 100) -> String {
        Stage().bar(width: 80)
            .line(fraction: fraction, rows: rows, elapsed: .seconds(seconds), width: width)
    }

    @Test func `a line says how far, how many, how fast and how long`() {
        #expect(
            line(0.62, rows: 618_204, seconds: 6.79)
                == "importing  ████████████░░░░░░░░  62 %  618,204 rows  91,000/s  about 5 s left"
        )
    }

    @Test func `an unknown total leaves the count and the rate`() {
        #expect(line(nil, rows: 1_234, seconds: 10) == "importing  1,234 rows  120/s")
        #expect(line(.nan, rows: 1_234, seconds: 10) == "importing  1,234 rows  120/s")
    }

    @Test func `nothing is estimated before there is something to average`() {
        #expect(line(0, rows: 0, seconds: 0) == "importing  ░░░░░░░░░░░░░░░░░░░░  0 %  0 rows")
        #expect(line(0.5, rows: 9, seconds: 0.4) == "importing  ██████████░░░░░░░░░░  50 %  9 rows")
        #expect(!line(0.001, rows: 9, seconds: 30).contains("left"))
    }

    @Test func `100 % means nothing is left`() {
        let almost = line(0.9999, rows: 9_999, seconds: 10)
        #expect(almost.contains("███░  99 %"))
        let done = line(1, rows: 10_000, seconds: 10)
        #expect(done == "importing  ████████████████████  100 %  10,000 rows  1,000/s")
        #expect(line(1.7, rows: 1, seconds: 0).contains("100 %"))
        #expect(line(-1, rows: 1, seconds: 0).contains("  0 %"))
    }

    @Test func `a long wait is given in minutes and hours`() {
        #expect(line(0.5, rows: 1, seconds: 59).hasSuffix("  under 1/s  about 59 s left"))
        #expect(line(0.5, rows: 1, seconds: 150).hasSuffix("  about 3 min left"))
        #expect(line(0.1, rows: 1, seconds: 1_000).hasSuffix("  about 2 h 30 min left"))
    }

    @Test func `a narrow terminal loses the bar, then the rate, then the time left`() {
        func at(_ width: Int) -> String { line(0.5, rows: 5_000, seconds: 10, width: width) }
        #expect(at(63) == "importing  █████░░░░░  50 %  5,000 rows  500/s  about 10 s left")
        #expect(at(57) == "importing  50 %  5,000 rows  500/s  about 10 s left")
        #expect(at(45) == "importing  50 %  5,000 rows  about 10 s left")
        #expect(at(30) == "importing  50 %  5,000 rows")
        #expect(at(12) == "importing  …")
    }

    @Test func `no line is wider than it may be`() {
        for width in 0...100 {
            #expect(line(0.62, rows: 618_204, seconds: 6.8, width: width).displayWidth <= width)
        }
    }

    @Test func `a terminal line is redrawn at most ten times a second and wiped at the end`() {
        let stage = Stage()
        var bar = stage.bar(width: 60)
        bar.update(fraction: 0, rows: 0)
        #expect(stage.output == "\rimporting  ░░░░░░░░░░░░░░░░░░░░  0 %  0 rows\u{1B}[K")
        stage.output = ""
        stage.time += .milliseconds(99)
        bar.update(fraction: 0.1, rows: 1)
        #expect(stage.output.isEmpty)
        stage.time += .milliseconds(1)
        bar.update(fraction: 0.2, rows: 2)
        #expect(stage.output == "\rimporting  ████░░░░░░░░░░░░░░░░  20 %  2 rows\u{1B}[K")
        stage.output = ""
        bar.finish()
        bar.finish()
        #expect(stage.output == "\r\u{1B}[K")
    }

    @Test func `work too short to show leaves no trace`() {
        for width in [nil, 60] {
            let stage = Stage()
            var bar = stage.bar(width: width)
            bar.finish()
            #expect(stage.output.isEmpty)
        }
    }

    @Test func `a log gets a line per tenth, not more than one in ten seconds`() {
        let stage = Stage()
        var bar = stage.bar(width: nil)
        for second in 1...100 {
            stage.time += .seconds(1)
            bar.update(fraction: Double(second) / 200, rows: second * 10)
        }
        bar.finish()
        #expect(
            stage.output == """
                importing  10 %  200 rows  10/s  about 3 min left
                importing  20 %  400 rows  10/s  about 3 min left
                importing  30 %  600 rows  10/s  about 2 min left
                importing  40 %  800 rows  10/s  about 2 min left
                importing  50 %  1,000 rows  10/s  about 2 min left

                """
        )
    }

    @Test func `a log is never silent for much more than a minute`() {
        let stage = Stage()
        var bar = stage.bar(width: nil)
        for _ in 1...130 {
            stage.time += .seconds(1)
            bar.update(fraction: 0.01, rows: 1)
        }
        #expect(stage.output.split(separator: "\n").count == 2)
    }

    @Test func `a log without a total gets a line every ten seconds`() {
        let stage = Stage()
        var bar = stage.bar(width: nil)
        for second in 1...25 {
            stage.time += .seconds(1)
            bar.update(fraction: nil, rows: second * 10)
        }
        #expect(stage.output == "importing  100 rows  10/s\nimporting  200 rows  10/s\n")
    }
}
