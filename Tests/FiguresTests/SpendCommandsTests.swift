import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

@Suite struct SpendCommandsTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel(plugins: [Figures.self])
    }

    @Test func `spend is booked and listed`() throws {
        #expect(
            try crm.run("spend add", options: ["day": "2026-03-01", "channel": "webinar", "amount": "1,200.50"]) == [
                "Booked 1200.50 EUR on webinar; 2026-03-01 is at 1200.50 EUR there."
            ])
        try crm.run(
            "spend add",
            options: [
                "day": "2026-03-02", "channel": "email", "amount": "10 USD", "half": "nurturing", "campaign": "welcome",
            ])
        #expect(
            try crm.run("spend list") == [
                "2026-03|email|welcome|nurturing|10.0|USD", "2026-03|webinar||generation|1200.5|EUR",
            ])
        #expect(
            try crm.run("spend list", options: ["month": "2026-03", "channel": "webinar"]) == [
                "2026-03-01|webinar||generation|1200.5|EUR"
            ])
    }

    @Test(arguments: [
        (
            ["day": "2026-03-01"],
            "spend add needs --day, --channel and --amount: trellis spend add --day 2026-03-01 --channel webinar --amount 120"
        ),
        (["day": "1 March", "channel": "a", "amount": "1"], "day: expected a day such as 2026-03-01"),
        (
            ["day": "2026-03-01", "channel": "a", "amount": "-1"],
            "amount: is below zero. Take a credit off the spend of the day it is for."
        ),
        (
            ["day": "2026-03-01", "channel": "a", "amount": "1", "half": "sale"],
            "There is no half 'sale'. Did you mean 'sales'? There are: generation, nurturing, sales."
        ),
        (
            ["day": "2026-03-01", "channel": "a", "amount": "1", "currency": "EURO"],
            "currency: expected a code such as EUR"
        ),
    ])
    func `what is no spend is refused with a sentence`(options: [String: String], sentence: String) throws {
        let refusal = #expect(throws: (any Error).self) { try crm.run("spend add", options: options) }
        #expect(refusal.map { "\($0)" } == sentence)
        #expect(try crm.rows("SELECT * FROM spend") == [])
    }
}
