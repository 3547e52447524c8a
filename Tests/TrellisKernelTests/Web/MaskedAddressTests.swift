import Testing

@testable import TrellisKernel

@Suite struct MaskedAddressTests {
    @Test(arguments: [
        ("ann@acme.example", "a•••@acme.example"), ("a@acme.example", "a•••@acme.example"),
        ("Ångström@acme.example", "Å•••@acme.example"), ("a@b@acme.example", "a•••@b@acme.example"),
    ])
    func `an address shows its first letter and where it is`(_ address: String, _ masked: String) {
        #expect(MaskedAddress.of(address) == masked)
    }

    @Test func `how long the name is stays unknown`() {
        #expect(MaskedAddress.of("al@acme.example") == MaskedAddress.of("alexandra.longname@acme.example"))
    }

    @Test(arguments: ["", "ann", "@acme.example", "ann@", "@"])
    func `of what is no address nothing is shown`(_ text: String) {
        #expect(MaskedAddress.of(text) == "•••")
    }
}
