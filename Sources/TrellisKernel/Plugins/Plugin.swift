import Foundation

/// A feature that lives outside the kernel and attaches to it through hooks.
///
/// The life of a plugin:
/// 1. Its section of config.yaml is read over the defaults of `Settings`; unknown keys are errors with their place.
/// 2. Its migrations run, after the kernel's; so they do where its section says `enabled: false`.
/// 3. `init(settings:)` makes it. From here on it is immutable.
/// 4. `check` names what only the whole config can tell: SQL that does not fit the schema, mails that do not exist.
/// 5. `hooks` is read once, and the table of hooks is frozen.
/// 6. Switched off, its hooks are gone; cursors and tables stay, appointments are frozen.
public protocol Plugin: Sendable {
    associatedtype Settings: SettingsRecord = NoSettings

    /// Its key in config.yaml, the owner of its migrations and the first half of its hook ids. Never changed.
    static var name: String { get }
    /// One sentence for `trellis plugins`.
    static var summary: String { get }
    static var migrations: MigrationFolder { get }
    /// Its views. They hold no rows, so they need no migration: a file in which they read otherwise gets them anew.
    static var views: [ViewFile] { get }
    /// The kinds of event it states.
    static var events: [EventDeclaration] { get }
    /// Columns it adds to the view `lead_cards`: name and a scalar SQL expression over `leads.id`.
    static var cardColumns: KeyValuePairs<String, String> { get }
    /// Rows it promises never to have: `trellis doctor --strict` runs each SELECT and expects none.
    static var invariants: [Invariant] { get }
    /// Numbers of its own that are worth watching, for `trellis status` and `/metrics`.
    static var counts: [Count] { get }
    /// Tables emptied before the log is replayed by `trellis plugins rebuild`, in this order; nil where its state is no
    /// function of the log. `WHERE` after a name says which rows alone.
    static var rebuilds: [String]? { get }
    /// Whether it runs without a section in the config. `enabled: false` switches it off all the same.
    static var isOnByDefault: Bool { get }
    /// Views of its own over tables of other plugins, which may not be there.
    static var borrowedViews: [BorrowedView] { get }

    /// Its rows that an event caused and that are no events themselves, for `trellis trace`.
    static var traces: [TraceSource] { get }
    /// How its tables were at a moment, for `trellis as-of`; one without is read as it is now, which is said.
    static var pastViews: [PastView] { get }

    /// Its tables with a column `email` for people who are no leads: what they hold is given out and erased too.
    static var addressTables: [String] { get }

    /// Its tables with a column `lead_id` whose rows are the person's own, such as the pages they looked at: they go
    /// when that person is erased. What has a `lead_id` is given out in any case.
    static var personTables: [String] { get }

    /// Those of its tables that SQL of the site may write: a hook, beside whoever opens the file.
    static var openTables: [String] { get }
    /// Its tables (`magnets_receipts`) that nobody reads over HTTP, and columns (`magnets_quarantine.agent`) that read
    /// as NULL there: what proves something, or opens something.
    static var secrets: [String] { get }
    /// Its columns (`magnets_quarantine.email`) that tell who somebody is, lead to a person, or keep words about one,
    /// beside its ``secrets``: what `personal` stands for where the config hides names.
    static var personal: [String] { get }
    /// Columns (`opportunities.amount`), of whatever table, in lower case, each with the columns of its own that keep
    /// what stands in it (`figures_closed_deals.amount`), or a sum of it, be it over many people: whoever hides the one
    /// hides the others. How many rows there are of a value is no copy of it.
    static var copies: [String: [String]] { get }

    /// Mails it brings, by name; a mail of the site with the same name takes their place.
    static var mails: [String: String] { get }

    /// The same with the sentences of a language; by itself they are ``mails`` in every one.
    static func mails(in words: Words) -> [String: String]

    /// Variables that only mails of its own know, each with the sentences that say which those are and what to do in
    /// another.
    static var mailVariables: [String: String] { get }

    /// What its pages, forms and mails say, as YAML by language. Those of `en` are all there are, and stand in for
    /// what other languages leave out; keys are begun so that no other plugin has them.
    static var words: [String: String] { get }

    /// Pages it shows, as Mustache templates by the name of their file; a file of the same name in the site's folder of
    /// templates takes its place.
    static var pages: [String: String] { get }

    /// What its section defines under names that sections of other plugins refer to, such as sequences.
    static var definedNames: [DefinedNames<Settings>] { get }

    init(settings: Settings)
    func check(_ check: ConfigCheck) throws
    @HookBuilder var hooks: [any Hook] { get }
    /// Called when a worker starts, before anything is handled, in the transaction that notes the start: the place to
    /// take up a new config. The clock may be one that is not believed: see ``Transaction/isClockTrusted``.
    ///
    /// - Parameter since: when the plugin's work was last looked after; nil at the first start of all.
    func begin(since: Date?, _ tx: Transaction) throws
    /// Called when a person lets marketing mail go on that paused by itself, in the transaction that does so: the place
    /// to cancel mail of its own that waited, or to move its `ready_at`. What is still held by the kernel afterwards is
    /// let go.
    ///
    /// - Parameter since: when the pause began.
    func marketingResumes(since: Date, _ tx: Transaction) throws
    /// Called when work goes on after a time in which nobody worked, before anything is handled: the place to decide
    /// about what came due meanwhile. That is right after ``begin(since:_:)``, and whenever a clock that had jumped is
    /// believed again, because it came back or a person accepted it; never while it is not believed.
    ///
    /// - Parameter since: when the plugin's work was last looked after, by a clock that was believed. Where one was put
    ///   back and accepted, that may lie ahead.
    func catchUp(since: Date, _ tx: Transaction) throws
    /// Called when a server stops in order, after its last request: the place to write what was kept in memory. What
    /// must survive a crash too is written at once instead.
    func end(_ kernel: Kernel) async
    /// The sentences its forms have people agree to, by purpose, as the config says them now.
    var consentTexts: [String: String] { get }
    /// Names that fields of activities refer to, by kind and field, such as its webinars: a name that is one letter
    /// off is misspelt, and is refused unless the log has it.
    var activityNames: [String: [String: [String]]] { get }
    /// The languages of its forms, by their names in `form.submitted`: what a lead who came by one is spoken to in.
    var formLanguages: [String: String] { get }
    /// Its commands; each begins with a word no other plugin's begins with: `scoring explain`.
    var commands: [Command] { get }
    /// Where SQL of the config leaves what a person is to do; nil where it keeps no tasks.
    var taskDesk: TaskDesk? { get }
    /// What it does beside the log, now and then, while a worker runs.
    var chores: [Chore] { get }
    /// What it answers over HTTP, as values: a plugin needs no HTTP library.
    var endpoints: [Endpoint] { get }
    /// What it answers to programs of the house, under the token of the API.
    var apiEndpoints: [Endpoint] { get }
}

extension Plugin {
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: []) }
    public static var views: [ViewFile] { [] }
    public static var events: [EventDeclaration] { [] }
    public static var cardColumns: KeyValuePairs<String, String> { [:] }
    public static var invariants: [Invariant] { [] }
    public static var counts: [Count] { [] }
    public static var mails: [String: String] { [:] }
    public static func mails(in _: Words) -> [String: String] { mails }
    public static var mailVariables: [String: String] { [:] }
    public static var words: [String: String] { [:] }
    public static var addressTables: [String] { [] }
    public static var personTables: [String] { [] }
    public static var secrets: [String] { [] }
    public static var personal: [String] { [] }
    public static var copies: [String: [String]] { [:] }
    public static var rebuilds: [String]? { nil }
    public static var openTables: [String] { [] }
    public static var isOnByDefault: Bool { false }
    public static var borrowedViews: [BorrowedView] { [] }
    public static var traces: [TraceSource] { [] }
    public static var pastViews: [PastView] { [] }
    public static var definedNames: [DefinedNames<Settings>] { [] }
    public func check(_: ConfigCheck) throws {}
    public func begin(since _: Date?, _: Transaction) throws {}
    public func marketingResumes(since _: Date, _: Transaction) throws {}
    public func catchUp(since _: Date, _: Transaction) throws {}
    public func end(_: Kernel) async {}
    public var consentTexts: [String: String] { [:] }
    public var activityNames: [String: [String: [String]]] { [:] }
    public var formLanguages: [String: String] { [:] }
    public var commands: [Command] { [] }
    public var chores: [Chore] { [] }
    public var taskDesk: TaskDesk? { nil }
    public var endpoints: [Endpoint] { [] }
    public var apiEndpoints: [Endpoint] { [] }
    public static var pages: [String: String] { [:] }
}

/// A promise as SQL: a SELECT that must return no row.
public struct Invariant: Sendable {
    /// The promise in words: "the score of a lead is the sum of its entries".
    public let promise: String
    /// Selects the rows that break it; the first column says which.
    public let violations: String

    public init(_ promise: String, violations: String) {
        self.promise = promise
        self.violations = violations
    }
}
