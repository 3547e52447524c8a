/// Throws the leads of a test into 10,000 buckets: the same lead always into the same one, and into one that has
/// nothing to do with its bucket in another test.
///
/// A cubic polynomial of the lead's id modulo the prime 2³¹ − 1, whose coefficients come from the name of the test
/// (Wegman and Carter, "New Hash Functions and Their Use in Authentication and Set Equality", 1981). Over the choice of
/// the name, the buckets of any four leads are independent, so that counts of buckets scatter as those of true chance
/// do. It needs sums, products below 2⁶³ and remainders alone: SQLite computes it as well, which has no exclusive or.
struct Bucket: Sendable, Equatable {
    /// A share of a test is known to a hundredth of a percent.
    static let count = 10_000
    private static let prime: Int64 = 0x7fff_ffff

    private let coefficients: [Int64]

    init(test: String) {
        var generator = SplitMix64(seed: test)
        coefficients = [1, 0, 0, 0].map { least in
            Int64(generator.next() % UInt64(Bucket.prime - least)) + least
        }
    }

    static func of(test: String, lead: Int64) -> Int {
        Bucket(test: test).of(lead: lead)
    }

    /// 0 ..< 10,000.
    func of(lead: Int64) -> Int {
        let reduced = (lead % Bucket.prime + Bucket.prime) % Bucket.prime
        let value = coefficients.dropFirst().reduce(coefficients[0]) { ($0 * reduced + $1) % Bucket.prime }
        return Int(value % Int64(Bucket.count))
    }

    /// The same number as an expression of SQL, in parentheses.
    ///
    /// - Parameter lead: a column or an expression of SQL that is the id of the lead. It is written three times.
    func sql(lead: String) -> String {
        let prime = Bucket.prime
        let reduced = "(((\(lead)) % \(prime) + \(prime)) % \(prime))"
        let value = coefficients.dropFirst().reduce("\(coefficients[0])") {
            "((\($0) * \(reduced) + \($1)) % \(prime))"
        }
        return "(\(value) % \(Bucket.count))"
    }
}
