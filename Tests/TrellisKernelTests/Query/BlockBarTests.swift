import Testing
import TrellisKernel

@Suite struct BlockBarTests {
    @Test func `shares are drawn to an eighth of a letter, within their width`() {
        #expect(BlockBar.text(0, width: 20) == "")
        #expect(BlockBar.text(0.5, width: 20) == "██████████")
        #expect(BlockBar.text(0.51, width: 20) == "██████████▎")
        #expect(BlockBar.text(7, width: 20) == String(repeating: "█", count: 20))
        #expect(BlockBar.text(-1, width: 20) == "")
    }
}
