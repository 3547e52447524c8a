import Testing
import TrellisTesting

@testable import TrellisKernel

/// Has a mail of its own that knows of a seat.
private struct Seats: Plugin {
    static let name = "seats"
    static let summary = "Seats."
    static let mailVariables = ["seat": "Only the mails of seats know it."]

    init(settings: NoSettings) {}

    var hooks: [any Hook] { [] as [any Hook] }

    func check(_ check: ConfigCheck) {
        check.mail(Located("seat", at: Place(file: "config.yaml", path: "seats")), values: ["seat"])
    }
}

/// Sends a mail of the site.
private struct Letters: Plugin {
    static let name = "letters"
    static let summary = "Letters."

    init(settings: NoSettings) {}

    var hooks: [any Hook] { [] as [any Hook] }

    func check(_ check: ConfigCheck) {
        check.mail(Located("letter", at: Place(file: "config.yaml", path: "letters")))
    }
}

@Suite struct ConfigCheckVariablesTests {
    @Test func `a variable that other mails know names them, also where their plugin is off`() throws {
        let files = [
            "mails/seat.md": "---\nsubject: Seat\npurpose: transactional\n---\nRow {{seat}}.\n",
            "mails/letter.md": "---\nsubject: Letter\npurpose: transactional\n---\nRow {{seat}}, {{quokka|none}}.\n",
        ]
        for sections in ["{seats: {}, letters: {}}", "{letters: {}}"] {
            let problems = try #require(throws: ConfigProblems.self) {
                try TestKernel("plugins: \(sections)", plugins: [Seats.self, Letters.self], files: files)
            }
            #expect(
                Set(problems.problems.map(\.message)) == [
                    "the mail 'letter' names the unknown variable {{seat}}. Only the mails of seats know it.",
                    "the mail 'letter' names the unknown variable {{quokka}}.",
                ])
        }
    }
}
