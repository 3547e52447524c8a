import Testing

@testable import AudienceExport

@Suite struct TextRuleTests {
    @Test(arguments: [
        (" GivenName ", "givenname"), ("Mrs. Ann", "ann"), ("Mc Duck, Jr.", "mc duck"), ("Dr.", "dr."),
        ("Prof. Dr. José", "josé"), ("O'Neil III", "o'neil"),
    ])
    func `Google takes names without titles`(_ name: String, _ expected: String) {
        #expect(TextRule.untitledName.normalised(name) == expected)
    }

    @Test func `Meta keeps accents in names, and only plain letters in cities`() {
        #expect(TextRule.accentedName.normalised(" Vale\u{301}ry-Anne ") == "valéryanne")
        #expect(TextRule.accentedName.normalised("Mary  Jane") == "mary jane")
        #expect(TextRule.accentedName.normalised("...") == nil)
        #expect(TextRule.plainLetters.normalised("Sankt Pölten 2") == "sanktplten")
        #expect(TextRule.state.normalised("Baden-Württemberg") == "badenwürttemberg")
        #expect(TextRule.state.normalised("CA") == "ca")
    }

    @Test func `postal codes are cut where the country says so`() {
        #expect(TextRule.postalCode.normalised("94107 1234", country: "US") == "94107-1234")
        #expect(TextRule.postalCode.normalised("94107", country: "US") == "94107")
        #expect(TextRule.postalCode.normalised("SW1A 1AA", country: "GB") == "SW1A 1AA")
        #expect(TextRule.shortPostalCode.normalised("94107-1234", country: "US") == "94107")
        #expect(TextRule.shortPostalCode.normalised("SW1A 1AA", country: "GB") == "sw1a1")
        #expect(TextRule.shortPostalCode.normalised("80331") == "80331")
    }

    @Test func `a plain text is cut and stays on one line`() {
        #expect(TextRule.plain(lengthMax: 4).normalised("Jürgen") == "Jürg")
        #expect(TextRule.plain(lengthMax: nil).normalised("a\nb") == "a b")
        #expect(TextRule.country(isUpper: false).normalised("DE") == "de")
    }
}
