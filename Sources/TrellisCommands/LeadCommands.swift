import ArgumentParser
import Foundation
import TrellisKernel

struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Take in one lead from the shell.",
        discussion:
            "trellis capture --email ann@acme.example --magnet sales-plan first_name=Ann company=Acme consent_newsletter=yes"
    )

    @OptionGroup var global: GlobalOptions
    @Option(help: "The e-mail address; phone=… or external_id=… will do too.")
    var email: String?
    @Option(help: "The magnet whose form was filled in.")
    var magnet: String?
    @Option(help: "Where the lead came from: outbound, event, partner, …")
    var channel: String?
    @Argument(help: ArgumentHelp("Columns of leads and consents.", valueName: "field=value"))
    var fields: [String] = []

    func run() throws {
        let kernel = try global.open()
        var texts = email.map { [("email", $0)] } ?? []
        var consents: [String: Bool] = [:]
        for field in try Assignments(fields).pairs {
            guard field.name.hasPrefix("consent_") else {
                texts.append((field.name, field.text))
                continue
            }
            consents[String(field.name.dropFirst(8))] = ["yes", "true", "1", "on"].contains(field.text.lowercased())
        }
        var draft = try kernel.draft(texts.map { (name: $0.0, text: $0.1) })
        draft.consents = consents
        draft.form = magnet
        draft.touch = LeadDraft.Touch(
            kind: magnet == nil ? "manual" : "form", channel: channel,
            source: String.fromDatabaseValue(draft["source"]),
            medium: String.fromDatabaseValue(draft["medium"]), campaign: String.fromDatabaseValue(draft["campaign"]))
        let proposal = draft
        let result = try kernel.write(origin: magnet.map { "form:\($0)" } ?? "cli") { try $0.capture(proposal) }
        if global.json {
            print(
                JSONValue.object([("lead", .integer(result.leadID)), ("outcome", .string(result.outcome.rawValue))])
                    .text())
        } else {
            let outcome =
                ["created": "is new", "changed": "was known and is changed", "same": "was known, nothing new"][
                    result.outcome.rawValue] ?? ""
            print("Lead \(result.leadID) \(outcome). What follows from it happens when 'trellis work' runs.")
        }
    }
}

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Log an activity of a lead, as declared under activities:.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The lead: an id, an e-mail address, or external:ID.")
    var lead: String
    @Argument(help: "The activity: demo.booked")
    var kind: String
    @Argument(help: ArgumentHelp("Its fields.", valueName: "field=value"))
    var fields: [String] = []
    @Option(help: "When it happened, UTC; now without it. What lies ahead is logged when it comes.")
    var at: String?

    func run() throws {
        let kernel = try global.open(checks: false)
        let pairs = try Assignments(fields).pairs
        try kernel.write(origin: "cli") { tx in
            try tx.record(kind, lead: LeadReference(lead).find(tx.db), fields: pairs, at: at)
        }
        print("Recorded \(kind) for \(lead).")
    }
}

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Make two leads one: the second takes in the first.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The lead that goes.")
    var gone: String
    @Argument(help: "The lead that stays.")
    var kept: String

    func run() throws {
        let kernel = try global.open(checks: false)
        let id = try kernel.write(origin: "cli") { tx in
            let id = try LeadReference(kept).find(tx.db)
            try tx.merge(LeadReference(gone).find(tx.db), into: id)
            return id
        }
        print("Lead \(id) took in \(gone). The row that went is in the trash for \(Trash.days) days.")
    }
}

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Make a lead a contact at its account, with an opportunity.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The lead: an id, an e-mail address, or external:ID.")
    var lead: String
    @Option(help: "The name of the opportunity.")
    var name: String?
    @Option(help: "The amount of the opportunity.")
    var amount: Double?

    func run() throws {
        let kernel = try global.open(checks: false)
        let made = try kernel.write(origin: "cli") { tx in
            try tx.convert(lead: LeadReference(lead).find(tx.db), opportunity: name, amount: amount)
        }
        print(
            "Contact \(made.contactID)\(made.accountID.map { " at account \($0)" } ?? ""), opportunity \(made.opportunityID)."
        )
    }
}

struct SuppressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "suppress", abstract: "Never mail an address again.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The e-mail address.")
    var email: String
    @Option(help: "unsubscribed, bounced, complained or manual.")
    var reason = "manual"

    func run() throws {
        guard ["unsubscribed", "bounced", "complained", "manual"].contains(reason) else {
            throw KernelError.usage("The reason is unsubscribed, bounced, complained or manual, not '\(reason)'.")
        }
        let kernel = try global.open(checks: false)
        let address: String
        do { address = try EmailAddress(email).address } catch { throw KernelError.usage("\(error)") }
        try kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: "INSERT INTO suppressions (email, reason, origin, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                arguments: [address, reason, tx.origin, tx.stamp])
        }
        print("\(address) is not mailed any more.")
    }
}

/// `name=value` words of the command line.
struct Assignments {
    let pairs: [(name: String, text: String)]

    init(_ words: [String]) throws {
        pairs = try words.map { word in
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
                throw KernelError.usage("Expected field=value, got '\(word)'.")
            }
            return (String(word[..<equals]), String(word[word.index(after: equals)...]))
        }
    }
}
