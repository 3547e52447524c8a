import Foundation

// Every hook point of the kernel stands in this file: when it runs, and what is not promised.
//
// | mood     | a plugin writes | when it runs                         | may                   |
// |----------|-----------------|--------------------------------------|-----------------------|
// | draft    | Filter          | inside the transaction that will act | edit, or throw a Veto |
// | event    | Subscribe       | from the log, in batches, in order   | write, emit, send     |
// | question | Answer          | when asked, on a reader              | read                  |

/// A proposal. Filters may edit it or veto it before the kernel acts on it.
public protocol Draft: Sendable {}

/// A question. Every plugin may answer; the asker gets the answers in the order of the plugins.
public protocol Question: Sendable {
    associatedtype Reply: Sendable
}

// MARK: - Drafts
// LeadDraft (Capture/LeadDraft.swift): before a lead is created or changed by a form, an import or a command. Not run
// for rows that another SQLite client writes: those have happened when the kernel hears of them.

/// Before a mail is handed to its transport, in the transaction that claims it. A veto cancels the mail with the
/// reason; a ``Postpone`` lets it wait, a ``Hold`` until the plugin lets it go. Not promised: that the mail is sent
/// afterwards; the transport may refuse it.
public struct MessageDraft: Draft {
    public let messageID: Int64
    public let leadID: Int64?
    /// Who asked for it: `plugin:drip`.
    public let origin: String
    public let purpose: MessagePurpose
    /// May be moved to another template.
    public var template: String
    /// Values for the template; those of the lead are already in.
    public var values: [String: String]
    /// What a webhook is told as whole numbers rather than as text, by name; it takes the place of a value.
    public var numbers: [String: Int64] = [:]
    /// What a webhook is told as a list of texts, by name; it takes the place of a value.
    public var lists: [String: [String]] = [:]
    /// Whether it is written at each attempt from what is true then, and never kept: for rows about many people, each
    /// of whom may be erased while the message waits. Otherwise what the first attempt wrote goes at the next ones too.
    public var isWrittenAnew = false
}

/// Before a lead goes into an audience file: of members, of a seed, or of conversions, whose `audience` is
/// `(conversions)`; and once more before a webhook is told of it. A veto leaves it out, with the reason counted.
/// Not promised: that the file is complete; the export may still be refused as a whole.
public struct AudienceMemberDraft: Draft {
    public let leadID: Int64
    public let audience: String
    public let platform: String

    public init(leadID: Int64, audience: String, platform: String) {
        self.leadID = leadID
        self.audience = audience
        self.platform = platform
    }
}

/// Before a lead is offered to a rep, in the transaction that offers it. A veto leaves the lead with marketing.
/// `rep` is nil while the lead is to wait in the queue; a filter may send it to another rep.
public struct HandoffDraft: Draft {
    public let leadID: Int64
    public var rep: String?

    public init(leadID: Int64, rep: String?) {
        self.leadID = leadID
        self.rep = rep
    }
}

// MARK: - Questions

/// Lines for the card of a lead, as `trellis trace` shows and a rep is mailed. Asked after the events so far were
/// handled or not: an answer may lag behind the log by a batch.
public struct LeadCard: Question {
    public typealias Reply = [CardLine]
    public let leadID: Int64

    public init(leadID: Int64) {
        self.leadID = leadID
    }
}

/// One line of a lead's card: `score · 65: demo +50, downloaded +15`.
public struct CardLine: Sendable, Hashable {
    public let label: String
    public let text: String
    /// Why to talk to the lead now, as a sentence without its full stop: `65 points: demo +50, downloaded +15`; nil
    /// where the line gives no reason for that.
    public let reason: String?

    public init(_ label: String, _ text: String, reason: String? = nil) {
        self.label = label
        self.text = text
        self.reason = reason
    }
}

/// Values a plugin adds for the templates of a mail, such as a download link. Asked while the mail is rendered; the
/// first answer for a name counts, and the body of the message counts before all answers. `owner.name` and
/// `owner.email` say who has the lead: mails are from them where their front matter says `from: owner`.
/// `mail.timezone` is the zone by whose clock times are written where neither the lead nor its country tells one, and
/// `mail.link.NAME` what stands in the target of a link in place of `NAME`, such as a time for programs.
public struct TemplateValues: Question {
    public typealias Reply = [String: String]
    public let leadID: Int64?
    /// The key of the message: `drip:welcome:3:lead 42:cycle 1`.
    public let key: String
    public let template: String
    /// The values the message came with.
    public let body: [String: String]
    /// The moment the mail is rendered.
    public let now: Date
    /// The clock of the lead: by its zone, by that of its country, by that of the site.
    public let place: LocalTime
    public let config: Config
    /// The card of the lead; empty where the message is for nobody of the house.
    public let card: [CardLine]

    /// A link of this site, sealed for one purpose: `link("download", "17")` is `https://…/download/TOKEN`.
    ///
    /// - Parameter expires: when it ceases to work; without it, never.
    public func link(_ purpose: String, _ subject: String, expires: Date? = nil) throws -> String {
        try config.link(purpose, subject, expires: expires)
    }
}

/// What a change did to the rows of a plugin: asked on the file with the change, where the same file without it is
/// attached as `before`. Both have come to rest at the same moment. Not promised: that a table of the one is in the
/// other.
public struct Plan: Question {
    public typealias Reply = [PlannedChange]
    /// The tables there are without the change.
    let tables: Set<String>
    /// How many leads of each change are wanted by name; 0 where the counts will do.
    var leadsMax = 0

    /// A table without the change; an empty one of the same columns where it is new.
    public func before(_ table: String) -> String {
        tables.contains(table) ? "before.\(table)" : "(SELECT * FROM main.\(table) WHERE false)"
    }
}

/// Files outside the database that hold a person, asked before the person is erased: nothing here deletes what was
/// handed out as a file, so whoever erases is told of it. Not promised: that no copy of a file was made.
public struct PersonFiles: Question {
    public typealias Reply = [String]
    public let leadIDs: [Int64]

    public init(leadIDs: [Int64]) {
        self.leadIDs = leadIDs
    }
}

/// Tables for `trellis report`. Asked on one reader, so that all tables show the same moment.
public struct Report: Question {
    public typealias Reply = [ReportSection]
    public init() {}
}

/// One titled table of the report.
public struct ReportSection: Sendable {
    public let title: String
    public let table: Table

    public init(_ title: String, _ table: Table) {
        self.title = title
        self.table = table
    }
}

/// The figures of a week or month, the last whole one without another `moment`, for `trellis report weekly` and
/// `monthly`. Asked on one reader, so that all figures show the same moment. It is not promised that what is still
/// being pumped is in them.
public struct PeriodReport: Question {
    public typealias Reply = [PeriodDocument]
    public enum Period: String, Sendable, CaseIterable {
        /// The last whole week, from Monday.
        case weekly
        /// The last whole month.
        case monthly
    }

    public let period: Period
    /// The moment it is asked at.
    public let now: Date
    /// A moment in the week or month that is asked for; nil for the last whole one.
    public let moment: Date?

    public init(_ period: Period, now: Date, of moment: Date? = nil) {
        self.period = period
        self.now = now
        self.moment = moment
    }
}

/// A report as parts for the shell, and as a page.
public struct PeriodDocument: Sendable {
    public let title: String
    public let parts: [PeriodPart]
    /// The name of its template, and the values of it.
    public let page: String
    public let values: PageValues

    public init(title: String, parts: [PeriodPart], page: String, values: PageValues) {
        self.title = title
        self.parts = parts
        self.page = page
        self.values = values
    }
}

/// A titled table with what it says in sentences, and the SQL it came from.
public struct PeriodPart: Sendable {
    public let title: String
    public let sentences: [String]
    public let table: Table
    public let sql: String

    public init(_ title: String, _ table: Table, sentences: [String] = [], sql: String) {
        self.title = title
        self.sentences = sentences
        self.table = table
        self.sql = sql
    }
}

/// What people do that a plugin knows of, for `trellis simulate`. Asked once, at the beginning, of the copy. It is not
/// promised that anything of it is drawn: a rate may be 0.
public struct SimulatedActs: Question {
    public typealias Reply = [SimulatedAct]
    public init() {}
}

/// What a simulation came to in the tables of a plugin, for `trellis simulate`. Asked once, at the end, of the copy.
/// It is not promised that the time is up: what lies beyond `until` has not happened.
public struct SimulationReport: Question {
    public typealias Reply = [SimulationSection]
    /// When the simulated time began, as the database writes it.
    public let from: String
    /// When it ended.
    public let until: String

    public init(from: String, until: String) {
        self.from = from
        self.until = until
    }
}
