import Testing
import TrellisTesting

@testable import TrellisKernel

/// Asks for consent, and names a list.
private struct Letters: Plugin {
    static let name = "letters"
    static let summary = "Letters."

    init(settings: NoSettings) {}

    var hooks: [any Hook] { [] as [any Hook] }
    var consentTexts: [String: String] { ["product-news": "News of our products."] }

    func check(_ check: ConfigCheck) {
        check.list(Located("produkt-news", at: Place(file: "config.yaml", path: "letters")))
        check.list(Located("product-news", at: Place(file: "config.yaml", path: "letters")))
    }
}

@Suite struct ConfigCheckListsTests {
    private func notes(_ list: String, _ plugins: [any Plugin.Type] = [Letters.self]) throws -> [String] {
        let crm = try TestKernel(
            plugins.isEmpty ? "" : "plugins: {letters: {}}", plugins: plugins,
            files: ["mails/product.md": "---\nsubject: Product\nlist: \(list)\n---\nNew.\n"])
        // Its folder goes with it.
        return try withExtendedLifetime(crm) {
            try crm.kernel.config.check(plugins: plugins).map(\.description).filter { $0.contains("of this list") }
        }
    }

    @Test func `a list that is almost called as one that a form asks for is noted`() throws {
        let notes = try notes("product-nwes")
        #expect(notes.count == 2)
        for (note, name) in zip(notes, ["produkt-news", "product-nwes"]) {
            #expect(
                note.hasSuffix(
                    "no form asks for consent to '\(name)', and mail of this list needs it. Did you mean 'product-news'?"
                ),
                "\(note)")
        }
        #expect(notes.last?.hasPrefix("mails/product.md") == true)
    }

    @Test(arguments: ["product-news", "events"]) func `one that is asked for, or of a name of its own, is not`(
        _ list: String
    ) throws {
        #expect(try notes(list).filter { $0.hasPrefix("mails/") } == [])
        #expect(try notes(list, []) == [])
    }
}
