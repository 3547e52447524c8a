import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct TestVectorTests {
    @Test(arguments: TestVector.all.indices)
    func `a published vector holds`(_ index: Int) {
        let vector = TestVector.all[index]
        #expect(vector.found == vector.normalised, "\(vector.platform): \(vector.input)")
        if let hash = vector.hash { #expect(vector.found.map { Digest.hex($0) } == hash) }
        #expect(vector.holds)
    }

    @Test func `a vector that does not hold is found out`() {
        #expect(!TestVector("google", .email("a.b@gmail.com"), "a.b@gmail.com", nil, "nobody").holds)
        #expect(!TestVector("google", .email("a@b.example"), "a@b.example", "00", "nobody").holds)
        #expect(!TestVector("google", .email("a@b.example"), nil, nil, "nobody").holds)
        #expect(!TestVector("myspace", .email("a@b.example"), "a@b.example", nil, "nobody").holds)
    }

    @Test func `the program checks itself, and prints each vector`() throws {
        let crm = try AudienceSite.crm("everybody: {sql: \"SELECT id AS lead_id FROM leads\"}")
        let lines = try crm.run("audiences verify")
        #expect(lines.count == TestVector.all.count + 1)
        #expect(
            lines[1]
                == "google|1-800-555-0100|+18005550100|fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30|holds|data-manager tests"
        )
        #expect(lines.contains("google|quinn|(refused)||holds|data-manager tests"))
        #expect(lines.last == "All 18 test vectors hold.")
    }
}
