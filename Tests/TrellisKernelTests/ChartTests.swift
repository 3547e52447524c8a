import Testing
import TrellisKernel

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
}
