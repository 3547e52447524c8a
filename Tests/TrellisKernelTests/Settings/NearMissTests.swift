import Testing

@testable import TrellisKernel

@Suite struct NearMissTests {
    private static let names = ["points", "decay", "thresholds", "when", "on", "mql", "first_name"]

    @Test(arguments: [
        ("point", "points"), ("pionts", "points"), ("thresholts", "thresholds"), ("wehn", "when"),
        ("firstname", "first_name"), ("mqll", "mql"),
        ("ons", "on"),
    ])
    func `the name somebody probably meant is found`(_ name: String, _ expected: String) {
        #expect(NearMiss.of(name, among: Self.names) == expected)
        #expect(NearMiss.hint(name, among: Self.names) == " Did you mean '\(expected)'?")
    }

    @Test(arguments: ["", "xyz", "score", "thresh", "a", "points"])
    func `what is too far away is nobody's, and of what is right nothing else is meant`(_ name: String) {
        #expect(NearMiss.of(name, among: Self.names) == nil)
        #expect(NearMiss.hint(name, among: Self.names).isEmpty)
    }

    @Test func `of two that are as near the first of the alphabet is taken`() {
        #expect(NearMiss.of("cat", among: ["rat", "bat", "hat"]) == "bat")
    }

    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 1), ("abcd", "acbd", 1), ("same", "same", 0),
    ])
    func `swapped neighbours count once`(_ left: String, _ right: String, _ distance: Int) {
        #expect(NearMiss.distance(left, right) == distance)
        #expect(NearMiss.distance(right, left) == distance)
    }

    @Test func `a very long name costs no more than a long one`() {
        #expect(NearMiss.of(String(repeating: "x", count: 1_000_000), among: Self.names) == nil)
    }
}
