import Testing

@testable import TrellisKernel

@Suite struct CountryCodeTests {
    static let names: [(text: String, alpha2: String)] = [
        ("DE", "DE"), ("de", "DE"), (" De ", "DE"), ("DEU", "DE"), ("deu", "DE"), ("Germany", "DE"),
        ("GERMANY", "DE"), ("Deutschland", "DE"), ("Federal Republic of Germany", "DE"),
        ("US", "US"), ("USA", "US"), ("U.S.A.", "US"), ("U. S.", "US"), ("United States", "US"),
        ("United States of America", "US"), ("the United States of America", "US"),
        ("UK", "GB"), ("U.K.", "GB"), ("GB", "GB"), ("Great Britain", "GB"), ("The United Kingdom", "GB"),
        ("England", "GB"), ("Scotland", "GB"), ("Holland", "NL"), ("The Netherlands", "NL"),
        ("Nederland", "NL"),
        ("Czech Republic", "CZ"), ("Czechia", "CZ"), ("Česko", "CZ"), ("Cesko", "CZ"),
        ("South Korea", "KR"), ("Korea, Republic of", "KR"), ("대한민국", "KR"), ("North Korea", "KP"),
        ("Viet Nam", "VN"), ("Vietnam", "VN"), ("Việt Nam", "VN"), ("UAE", "AE"),
        ("United Arab Emirates", "AE"),
        ("Austria", "AT"), ("Österreich", "AT"), ("Osterreich", "AT"), ("Oesterreich", "AT"),
        ("O\u{308}sterreich", "AT"),
        ("Schweiz", "CH"), ("Suisse", "CH"), ("Svizzera", "CH"), ("España", "ES"), ("Espana", "ES"),
        ("Italia", "IT"), ("Polska", "PL"), ("Türkiye", "TR"), ("Turkey", "TR"), ("Brasil", "BR"),
        ("Россия", "RU"), ("Russia", "RU"), ("Ελλάδα", "GR"), ("日本", "JP"), ("中国", "CN"), ("مصر", "EG"),
        ("Côte d'Ivoire", "CI"), ("Cote d’Ivoire", "CI"), ("COTE DIVOIRE", "CI"), ("Ivory Coast", "CI"),
        ("Antigua & Barbuda", "AG"), ("St. Lucia", "LC"), ("St Lucia", "LC"), ("Saint Lucia", "LC"),
        ("Guinea Bissau", "GW"), ("Bosnia-Herzegovina", "BA"), ("Bosnia & Herzegovina", "BA"),
        ("Congo", "CG"), ("DR Congo", "CD"), ("Democratic Republic of the Congo", "CD"), ("Macedonia", "MK"),
        ("Gambia", "GM"), ("The Gambia", "GM"), ("Burma", "MM"), ("Myanmar", "MM"), ("Swaziland", "SZ"),
        ("Færøerne", "FO"), ("Føroyar", "FO"), ("Ísland", "IS"), ("Vatican", "VA"), ("Hong Kong", "HK"),
        ("Taiwan", "TW"), ("Palestine", "PS"), ("Iran", "IR"), ("Laos", "LA"), ("Moldova", "MD"),
        ("EL", "GR"),
    ]

    static let plans: [(alpha2: String, callingCode: String, trunkPrefix: String?)] = [
        ("DE", "49", "0"), ("AT", "43", "0"), ("CH", "41", "0"), ("GB", "44", "0"), ("FR", "33", "0"),
        ("IT", "39", nil), ("ES", "34", nil), ("PT", "351", nil), ("PL", "48", nil), ("DK", "45", nil),
        ("US", "1", "1"), ("CA", "1", "1"), ("JM", "1", "1"), ("RU", "7", "8"), ("KZ", "7", "8"),
        ("HU", "36", "06"), ("JP", "81", "0"), ("IN", "91", "0"), ("AU", "61", "0"), ("AQ", "672", nil),
    ]

    @Test(arguments: names)
    func `a country is known by codes, names and spellings`(text: String, alpha2: String) {
        #expect(CountryCode(text)?.alpha2 == alpha2)
    }

    @Test(arguments: ["", " ", "the", "XX", "Korea", "Atlantis", "Germanyy", "D", "49", "-", "Kosovo"])
    func `what names no country, or two, is refused`(text: String) {
        #expect(CountryCode(text) == nil)
    }

    @Test func `an endless name is refused`() {
        #expect(CountryCode(String(repeating: "a", count: 100_000)) == nil)
    }

    @Test(arguments: plans)
    func `a country has a calling code and perhaps a trunk prefix`(
        alpha2: String, callingCode: String, trunkPrefix: String?
    ) {
        #expect(CountryCode(alpha2)?.callingCode == callingCode)
        #expect(CountryCode(alpha2)?.trunkPrefix == trunkPrefix)
    }

    @Test func `the table holds the 249 entries of ISO 3166-1`() {
        let rows = CountryCode.table.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 4) }
        #expect(rows.count == 249)
        #expect(CountryCode.Directory.shared.plans.count == 249)
        #expect(Set(rows.map { $0[1] }).count == 249)
        for row in rows {
            #expect(row.count == 5)
            #expect(row[0].count == 2 && row[1].count == 3)
            #expect(row[2].allSatisfy(\.isNumber) && (1...3).contains(row[2].count))
            #expect(CountryCode(String(row[0]))?.alpha2 == String(row[0]))
            #expect(CountryCode(String(row[1]))?.alpha2 == String(row[0]))
        }
    }

    @Test func `no name means two countries`() {
        #expect(CountryCode.Directory.shared.ambiguousNames == [])
    }

    @Test func `countries that share a calling code share the trunk prefix`() {
        for plan in CountryCode.Directory.shared.plans.values {
            #expect(CountryCode.Directory.shared.plansByCallingCode[plan.callingCode] == plan)
        }
    }

    @Test func `no calling code begins another`() {
        let codes = CountryCode.Directory.shared.plansByCallingCode.keys
        for code in codes {
            #expect(!codes.contains { $0 != code && $0.hasPrefix(code) })
        }
    }
}
