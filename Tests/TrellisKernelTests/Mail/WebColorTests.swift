import Testing

@testable import TrellisKernel

@Suite struct WebColorTests {
    @Test(arguments: ["0b5cad", "#0b5ca", "#0b5cadd", "#0b5cag", "#+b5cad", "", "#", "blue", "#0b5cáé"])
    func `anything but six digits is no colour`(_ text: String) {
        #expect(WebColor(text) == nil)
    }

    @Test func `a colour reads back as it was written, in small letters`() {
        #expect(WebColor("#0B5cAd")?.description == "#0b5cad")
        #expect(WebColor("#000000") == .black && WebColor("#ffffff") == .white)
        #expect(WebColor("#0b5cad") == .standard)
    }

    @Test func `contrast is that of the standard`() throws {
        #expect(WebColor.white.contrast(with: .black) == 21)
        #expect(WebColor.white.contrast(with: .white) == 1)
        // https://www.w3.org/TR/WCAG22/: #767676 is the lightest grey that reads on white.
        let (grey, lighter) = (try #require(WebColor("#767676")), try #require(WebColor("#777777")))
        #expect(grey.contrast(with: .white) >= 4.5 && lighter.contrast(with: .white) < 4.5)
    }

    @Test(arguments: ["#ffcc00", "#0b5cad", "#ffffff", "#000000", "#ff0066", "#7fdbff", "#111111", "#808080"])
    func `whatever the brand is, links and buttons read well, light and dark`(_ text: String) throws {
        let color = try #require(WebColor(text))
        let style = MailStyle(color: color)
        let dark = try #require(WebColor("#1d2228"))
        #expect(style.button == color)
        #expect(style.buttonText.contrast(with: color) >= 4.5)
        #expect(style.link.contrast(with: .white) >= 4.5)
        #expect(style.darkLink.contrast(with: dark) >= 4.5)
    }

    @Test func `a colour that reads already stays as it is`() {
        #expect(WebColor.standard.readable(on: .white) == .standard)
    }
}
