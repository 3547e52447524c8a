import Testing

@testable import TrellisKernel

@Suite struct WayOutTests {
    @Test(arguments: ["42", "42 product-news"]) func `what a link seals is read again`(_ subject: String) throws {
        #expect(try #require(WayOut(subject)).subject == subject)
        #expect(WayOut(subject)?.leadID == 42)
    }

    @Test(arguments: ["", "x", "42 ", "42 a b", "42 none", " 42", "42 <b>"])
    func `anything else is no way out`(_ subject: String) {
        #expect(WayOut(subject) == nil)
    }
}
