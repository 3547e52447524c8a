import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct SimulationSettingsTests {
    private func load(_ text: String) throws -> SimulationSettings {
        let path = NSTemporaryDirectory() + "trellis-rates-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text.utf8).write(to: URL(filePath: path))
        return try SimulationSettings.load(path)
    }

    @Test func `rates are read`() throws {
        let settings = try load(
            "leads_per_day: 2.5\nrates:\n  mail.clicked: {rate: 0.04, after: 6h}\n  demo.booked: {rate: 2}\n")
        #expect(settings.leadsPerDay == 2.5)
        #expect(settings.rates.map(\.name) == ["mail.clicked", "demo.booked"])
        #expect(settings.rates.map(\.value.share) == [0.04, 2])
        #expect(settings.rates.map { $0.value.after?.seconds } == [21_600, nil])
    }

    @Test func `what is wrong is named with its place`() throws {
        let problems = #expect(throws: ConfigProblems.self) {
            try load("leads_per_day: many\nrates:\n  mail.clicked: {rat: 1}\n")
        }
        let text = problems.map { "\($0)" } ?? ""
        #expect(text.contains(".yaml:1:16: leads_per_day: expected a number from 0.0 to 1000000.0, got 'many'."))
        #expect(text.contains("unknown key 'rat'. Did you mean 'rate'?"))
        #expect(throws: KernelError.noFile("/nowhere.yaml")) {
            try SimulationSettings.load("/nowhere.yaml")
        }
    }

    @Test func `an act that nobody does is refused with the near miss`() throws {
        let settings = try load("rates:\n  mail.clickt: {rate: 0.04}\n")
        let problems = #expect(throws: ConfigProblems.self) {
            try settings.check(names: ["mail.clicked", "mail.opened"])
        }
        #expect(
            problems.map { "\($0)" }?.contains(
                "nobody does 'mail.clickt'. Did you mean 'mail.clicked'? There are: mail.clicked, mail.opened.") == true
        )
    }

    @Test func `more than all of them is refused, but for what recurs`() throws {
        let settings = try load("rates:\n  mail.clicked: {rate: 2}\n  demo.booked: {rate: 2}\n")
        let problems = #expect(throws: ConfigProblems.self) {
            try settings.check(names: ["mail.clicked", "demo.booked"], recurring: ["demo.booked"])
        }
        #expect(
            problems.map { "\($0)" }?.contains(
                ":2:3: rates.mail.clicked: 'mail.clicked' happens to at most all of them: the rate must be from 0 to 1."
            )
                == true)
        #expect(problems?.problems.count == 1)
    }
}
