import Foundation

/// Writes a CSV file of invented leads: the same for the same number, its addresses in no order.
struct LeadFile {
    let leads: Int

    /// The columns, in order.
    static let columns = [
        "email", "first_name", "last_name", "company", "title", "industry", "employees", "country", "city", "source",
        "consent_newsletter",
        "consent_ads",
    ]

    private static let firstNames = [
        "Anna", "Ben", "Chiara", "David", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Luis", "Mara",
        "Noah", "Olga", "Paul",
    ]
    private static let lastNames = [
        "Arnold", "Becker", "Conti", "Dupont", "Eriksen", "Fischer", "Garcia", "Hofer", "Ivanov", "Jansen", "Keller",
        "Lopez", "Meyer",
        "Novak", "Okafor", "Peters",
    ]
    private static let titles = [
        "Software Engineer", "Head of Sales", "Buyer", "Student", "Marketing Manager", "Chief Executive", "Accountant",
        "Sales Engineer",
        "Director of Purchasing", "Office Manager", "Consultant", "Intern", "Head of Logistics", "Store Manager",
        "Analyst", "Technician",
    ]
    private static let industries = [
        "software", "manufacturing", "retail", "health", "education", "finance", "logistics", "media",
    ]
    private static let places = [
        ("DE", "Berlin"), ("DE", "Hamburg"), ("AT", "Wien"), ("CH", "Basel"),
        ("FR", "Paris"), ("FR", "Lyon"), ("NL", "Utrecht"), ("BE", "Gent"),
        ("GB", "London"), ("US", "Boston"), ("US", "Austin"), ("CA", "Toronto"), ("AU", "Perth"), ("ES", "Madrid"),
        ("IT", "Milano"), ("PL", "Gdynia"),
    ]
    private static let sources = ["search", "referral", "ads", "fair", "webinar", "sponsored", "social", "partner"]
    private static let companies = ["Nordwind", "Acme", "Bloom", "Kranich", "Lumen", "Orbit", "Quarz", "Tandem"]

    func write(to path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchError("\(path) cannot be written.") }
        defer { fclose(file) }
        fputs(LeadFile.columns.joined(separator: ",") + "\n", file)
        var dice = Dice(seed: 0x7E11)
        for number in 0..<leads { fputs(line(number, &dice), file) }
    }

    private func line(_ number: Int, _ dice: inout Dice) -> String {
        // A product with an odd number is a permutation of 32 bits: unique, and in no order.
        let tag = String(UInt32(truncatingIfNeeded: number) &* 2_654_435_761, radix: 36)
        let (first, last) = (dice.pick(LeadFile.firstNames), dice.pick(LeadFile.lastNames))
        let company = dice.pick(LeadFile.companies)
        let account = dice.below(5000)
        let domain = dice.below(10) < 3 ? "gmail.com" : "\(company.lowercased())\(account).example"
        let place = dice.pick(LeadFile.places)
        let size = [1, 10, 50, 500, 5000][dice.below(5)]
        return
            "\(tag).\(last.lowercased())@\(domain),\(first),\(last),\(company) \(account),\(dice.pick(LeadFile.titles)),"
            + "\(dice.pick(LeadFile.industries)),\(1 + dice.below(size)),\(place.0),\(place.1),\(dice.pick(LeadFile.sources)),"
            + "\(dice.below(10) < 7 ? "yes" : "no"),\(dice.below(2) == 0 ? "yes" : "no")\n"
    }
}

/// SplitMix64 (https://prng.di.unimi.it/splitmix64.c): the same numbers for the same seed.
struct Dice {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((bits ^ (bits >> 31)) % UInt64(limit))
    }

    mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
}
