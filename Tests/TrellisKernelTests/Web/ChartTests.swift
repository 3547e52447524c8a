import Testing

@testable import TrellisKernel

@Suite struct ChartTests {
    /// U+0600 belongs to the character after it: to Swift, `<` behind it is another character, and to a browser it is
    /// not.
    @Test func `a name is text and nothing else, whatever characters stand around its signs`() {
        let name = "\u{600}<script>\u{600}&\u{600}\""
        let bars = [Chart.Bar(label: name, value: 2, text: name), Chart.Bar(label: "a", value: 1, text: "1")]
        for drawing in [Chart.columns(bars, title: name), Chart.rows(bars, title: name)] {
            #expect(!drawing.utf8.split(separator: UInt8(ascii: "<")).contains { $0.starts(with: "script".utf8) })
            #expect(drawing.unicodeScalars.contains("\u{600}") && drawing.contains("script&gt;"))
            #expect(drawing.contains("<title>\u{600}&lt;script&gt;\u{600}&amp;\u{600}&quot;</title>"))
        }
    }

    /// What the letters of a text take at most, to both sides of its middle.
    private func ends(_ drawing: String) -> [(text: String, left: Double, right: Double)] {
        drawing.matches(of: /<text[^>]* x="([\d.-]+)"[^>]* text-anchor="middle">([^<]*)</).compactMap { match in
            Double(match.1).map { x in
                let half = Double(match.2.count) * Chart.halfLetter
                return (String(match.2), x - half, x + half)
            }
        }
    }

    @Test func `no label of a column is cut at either end`() {
        let bars = (1...13).map { Chart.Bar(label: "\($0 + 10) November", value: 1, text: "1,234,567") }
        let ends = ends(Chart.columns(bars, title: "Leads"))
        #expect(ends.contains { $0.text == "23 November" } && ends.contains { $0.text == "11 November" })
        #expect(ends.allSatisfy { $0.left >= 0 && $0.right <= Chart.width }, "\(ends)")
    }

    @Test func `a label that has room stands below its column`() {
        let bars = (1...3).map { Chart.Bar(label: "\($0)", value: 1, text: "") }
        #expect(Chart.columns(bars, title: "Leads").contains(#"x="300.0" y="144.0" text-anchor="middle">3<"#))
    }
}
