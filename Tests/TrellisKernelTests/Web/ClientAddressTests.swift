import Testing

@testable import TrellisKernel

@Suite struct ClientAddressTests {
    // MARK: - Reading

    @Test(arguments: [
        ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"), ("::FFFF:CB00:7107", "203.0.113.7"),
        ("2001:DB8:0:0::7", "2001:db8::7"), ("::1", "::1"), ("::", "::"),
    ])
    func `an address is known in each of its writings`(_ text: String, _ written: String) throws {
        let address = try #require(ClientAddress(text))
        #expect(address.description == written)
        #expect(address == ClientAddress(written))
    }

    @Test(arguments: [
        "", " ", "localhost", "203.0.113", "203.0.113.256", "203.0.113.7:80", "203.0.113.7 ", "203.0.113.7/24",
        "[::1]", "fe80::1%eth0", "2001:db8::7::1", "::ffff:203.0.113",
    ])
    func `what is no address is none`(_ text: String) {
        #expect(ClientAddress(text) == nil)
    }

    @Test func `an address within a line is read as well`() {
        let line = "203.0.113.7, 10.0.0.1"
        #expect(line.split(separator: ",").compactMap { ClientAddress($0.filter { $0 != " " }) }.count == 2)
        #expect(ClientAddress(line) == nil)
    }

    // MARK: - What is kept

    @Test(arguments: [
        ("203.0.113.7", "203.0.113.0/24", "203.0.113.7/32"),
        ("203.0.113.255", "203.0.113.0/24", "203.0.113.255/32"),
        ("::ffff:203.0.113.7", "203.0.113.0/24", "203.0.113.7/32"),
        ("2001:db8:7:8:9:a:b:c", "2001:db8:7::/48", "2001:db8:7:8::/64"),
        ("::1", "::/48", "::/64"),
    ])
    func `a network is kept and a household is limited`(_ text: String, _ network: String, _ visitor: String) throws {
        let address = try #require(ClientAddress(text))
        #expect(address.network == network)
        #expect(address.visitor == visitor)
    }

    @Test func `what comes from no network has an address nobody has`() {
        #expect(ClientAddress.none.description == "0.0.0.0")
        #expect(ClientAddress.none.network == "0.0.0.0/24")
    }

    // MARK: - Networks

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("10.1.2.3/8", "10.9.9.9", true),
        ("192.168.4.0/22", "192.168.7.255", true), ("192.168.4.0/22", "192.168.8.0", false),
        ("203.0.113.7", "203.0.113.7", true), ("203.0.113.7", "203.0.113.8", false),
        ("0.0.0.0/0", "203.0.113.7", true),
        ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
        ("::1", "::1", true), ("::1/128", "::2", false), ("::/0", "2001:db8::7", true),
    ])
    func `an address is in a network or not`(_ network: String, _ address: String, _ isIn: Bool) throws {
        let (range, address) = (try #require(AddressRange(network)), try #require(ClientAddress(address)))
        #expect(address.isIn(range) == isIn)
    }

    @Test func `the two kinds of address have no network in common`() throws {
        let (four, six) = (try #require(ClientAddress("203.0.113.7")), try #require(ClientAddress("2001:db8::7")))
        #expect(!four.isIn(try #require(AddressRange("::/0"))))
        #expect(!six.isIn(try #require(AddressRange("0.0.0.0/0"))))
        // An IPv4 address inside an IPv6 one is what it is.
        let mapped = try #require(ClientAddress("::ffff:203.0.113.7"))
        #expect(mapped.isIn(try #require(AddressRange("203.0.113.0/24"))))
    }

    @Test(arguments: ["", "/8", "acme.example", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "10.0.0/8", "::/129"])
    func `what is no network is none`(_ text: String) {
        #expect(AddressRange(text) == nil)
    }
}
