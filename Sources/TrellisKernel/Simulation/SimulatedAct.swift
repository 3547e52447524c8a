/// Something people do that a simulation draws: a click, an answer of a rep, a confirmation. It may follow an event of
/// the log, with a chance and after a while, both measured from the log where it tells enough.
public struct SimulatedAct: Sendable {
    /// How likely it is, and how long it takes.
    public struct Rate: Sendable, Hashable {
        /// From 0 to 1; of an act that recurs, how often per lead and 30 days.
        public var share: Double
        /// From the event to the act in the mean, in seconds.
        public var after: Double

        public init(_ share: Double, after: Double) {
            self.share = share
            self.after = after
        }
    }

    /// The event that gives the chance, and what stands in its body that tells this chance of a lead from another.
    public struct Chance: Sendable {
        let kind: String
        let subject: String

        /// - Parameters:
        ///   - kind: of the event: `handoff.offered`.
        ///   - subject: SQL over `chance`, the row of the event. The same lead and subject draw the same luck under
        ///     every config, so that two configs are compared and not two streaks of luck. Without it the lead alone.
        public init(_ kind: String, subject: String = "''") {
            self.kind = kind
            self.subject = subject
        }
    }

    /// The event by which the act is known to have happened.
    public struct Trace: Sendable {
        let kinds: [String]
        let condition: String

        /// - Parameters:
        ///   - kinds: of the event.
        ///   - condition: SQL over `trace`, its row, and `chance`: which of the lead's chances it followed.
        public init(_ kinds: [String], where condition: String = "true") {
            self.kinds = kinds
            self.condition = condition
        }
    }

    /// What `--rates` calls it: the kind of the event it leads to.
    public let name: String
    /// What the rate is a share of: `mails sent`.
    public let cases: String
    public let chance: Chance
    /// SQL over `chance`: which of them are chances.
    let condition: String
    let trace: Trace
    /// Taken where the log tells too little.
    let usual: Rate
    /// Acts with the same choice share one draw: at most one of them happens.
    let choice: String?
    /// Whether it happens again and again, to every lead there is.
    let recurs: Bool
    let perform: @Sendable (Transaction) throws -> Void

    /// - Parameters:
    ///   - usual: assumed where the log tells of fewer than ``Rates/casesMin`` cases.
    ///   - choice: acts with the same choice share one draw: at most one of them happens.
    ///   - perform: does it, set-based, for the rows of `temp.simulated (chance_id, lead_id, at, subject)`.
    public init(
        _ name: String, ofEach cases: String, after chance: Chance, where condition: String = "true",
        knownBy trace: Trace, usual: Rate, choice: String? = nil,
        perform: @escaping @Sendable (Transaction) throws -> Void
    ) {
        self.init(
            name, cases: cases, chance: chance, condition: condition, trace: trace, usual: usual, choice: choice,
            recurs: false, perform: perform)
    }

    /// One that every lead does now and then, as often per 30 days as the rate says.
    init(recurring name: String, usual: Rate, perform: @escaping @Sendable (Transaction) throws -> Void) {
        self.init(
            name, cases: "leads and 30 days", chance: Chance("lead.created"), condition: "true",
            trace: Trace([name]), usual: usual, choice: nil, recurs: true, perform: perform)
    }

    private init(
        _ name: String, cases: String, chance: Chance, condition: String, trace: Trace, usual: Rate, choice: String?,
        recurs: Bool, perform: @escaping @Sendable (Transaction) throws -> Void
    ) {
        self.name = name
        self.cases = cases
        self.chance = chance
        self.condition = condition
        self.trace = trace
        self.usual = usual
        self.choice = choice
        self.recurs = recurs
        self.perform = perform
    }
}
