import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct LuckTests {
    private let luck = Luck(seed: 7)

    @Test func `the same lead has the same luck with the same thing, and other luck with another seed`() {
        #expect(luck.draw("17:welcome", "mail.clicked") == luck.draw("17:welcome", "mail.clicked"))
        #expect(luck.draw("17:welcome", "mail.clicked") != luck.draw("18:welcome", "mail.clicked"))
        #expect(luck.draw("17:welcome", "mail.clicked") != luck.draw("17:welcome", "mail.opened"))
        #expect(luck.draw("17:welcome", "mail.clicked") != Luck(seed: 8).draw("17:welcome", "mail.clicked"))
    }

    @Test func `draws are spread evenly, also over subjects that differ in their last digit`() {
        var tenths = [Int](repeating: 0, count: 10)
        for number in 0..<20_000 { tenths[Int(luck.draw("lead:\(number)", "mail.clicked") * 10)] += 1 }
        // Each tenth holds 2,000 with a standard deviation of 42.
        #expect(tenths.allSatisfy { (1800...2200).contains($0) }, "\(tenths)")
    }

    @Test func `delays have the mean that is asked for, and an end`() {
        let delays = (0..<20_000).map { luck.delay("lead:\($0)", "mail.clicked", mean: 100) }
        let mean = delays.reduce(0, +) / Double(delays.count)
        #expect((95...105).contains(mean), "\(mean)")
        #expect(delays.allSatisfy { $0 >= 0 && $0 <= 500 })
    }

    @Test func `SQL draws the same as Swift`() throws {
        let crm = try TestKernel()
        try crm.kernel.write(origin: "test") { tx in
            luck.install(tx.db)
            let row = try Row.fetchOne(
                tx.db,
                sql: "SELECT simulation_draw('a', 'b'), simulation_delay('a', 'b', 60.0), simulation_bits('a', 'b')")
            #expect(row?[0] == luck.draw("a", "b"))
            #expect(row?[1] == luck.delay("a", "b", mean: 60))
            #expect(row?[2] == Int64(luck.bits("a", "b") >> 2))
        }
    }
}
