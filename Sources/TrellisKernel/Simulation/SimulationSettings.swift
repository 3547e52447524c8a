import Foundation

/// What a simulation assumes in place of what it would measure: the file of `trellis simulate --rates`.
/// ```yaml
/// leads_per_day: 20
/// rates:
///   mail.clicked: {rate: 0.04, after: 6h}
///   demo.booked: {rate: 0.02}
/// ```
public struct SimulationSettings: SettingsRecord {
    public var leadsPerDay: Double?
    public var rates: [Named<Rate>] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "leads_per_day", \.leadsPerDay, optional: .number(0...1_000_000),
            "New leads a day; without it the mean of the last 28 days.")
        SettingsField(
            "rates", \.rates, .named("a mapping of acts and their rates", isIdentifier: false, of: .record()),
            "How often people do what they do: mail.clicked, handoff.accepted, an activity.")
    }

    /// How likely an act is, and how long it takes.
    public struct Rate: SettingsRecord {
        public var share: Double?
        public var after: Span?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField(
                "rate", \.share, optional: .number(0...100),
                "From 0 to 1; of an activity how often per lead and 30 days. Without it as measured.")
            SettingsField(
                "after", \.after, optional: .span, "How long it takes in the mean. Without it as measured.")
        }
    }

    /// Reads a file of settings.
    ///
    /// - Throws: ``ConfigProblems`` for all that is wrong with it, each with its place.
    public static func load(_ path: String) throws -> SimulationSettings { try load(file: path) }

    /// - Parameters:
    ///   - names: of all acts.
    ///   - recurring: of those that a lead does again and again, which alone may have a rate above 1.
    /// - Throws: ``ConfigProblems`` for rates of acts that nobody does, and for shares above 1.
    func check(names: [String], recurring: Set<String> = []) throws {
        var problems = rates.filter { !names.contains($0.name) }.map { rate in
            ConfigProblem(
                "nobody does '\(rate.name)'.\(NearMiss.hint(rate.name, among: names)) There are: \(names.joined(separator: ", ")).",
                at: rate.place)
        }
        for rate in rates where names.contains(rate.name) && !recurring.contains(rate.name) {
            guard let share = rate.value.share, share > 1 else { continue }
            problems.append(
                ConfigProblem(
                    "'\(rate.name)' happens to at most all of them: the rate must be from 0 to 1.", at: rate.place))
        }
        guard problems.isEmpty else { throw ConfigProblems(problems) }
    }
}
