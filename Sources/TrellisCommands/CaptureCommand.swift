import ArgumentParser
import Foundation
import TrellisKernel

struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Take in one lead from the shell.",
        discussion: """
            trellis capture --email ann@acme.example --magnet sales-plan first_name=Ann company=Acme consent_newsletter=yes
            Of a magnet the fields it requires have to be given; other columns of the lead may be. A consent has to be one \
            that the form asks for.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: "The e-mail address; phone=… or external_id=… will do too.")
    var email: String?
    @Option(help: "The magnet whose form was filled in.")
    var magnet: String?
    @Option(
        help: """
            The road the lead came on: outbound, offline, partner, or one of leads.channels; without it what the two \
            options below tell, or source=… and medium=….
            """)
    var channel: String?
    @Option(
        name: .customLong("landing-page"), help: "The page the visitor came to, with its utm parameters and click ids.")
    var landingPage: String?
    @Option(help: "The page before that.")
    var referrer: String?
    @Argument(help: ArgumentHelp("Columns of leads and consents.", valueName: "field=value"))
    var fields: [String] = []

    func validate() throws {
        for address in [landingPage, referrer].compactMap({ $0 })
        where Arrival(landingPage: address, referrer: nil).landingPage == nil {
            throw ValidationError("'\(address)' is no address of a page; it begins with https:// or http://.")
        }
    }

    func run() throws {
        let result = try take(try global.open(makesFile: true))
        if global.json {
            print(
                JSONValue.object([
                    ("lead", .integer(result.leadID)), ("outcome", .string(result.outcome.rawValue)),
                    ("notes", .array(result.notes.map(JSONValue.string))),
                ]).text())
        } else {
            let outcome =
                ["created": "is new", "changed": "was known and is changed", "same": "was known, nothing new"][
                    result.outcome.rawValue] ?? ""
            print("Lead \(result.leadID) \(outcome). What follows from it happens when 'trellis work' runs.")
            for note in result.notes { print(note) }
        }
    }

    /// Takes the lead in.
    ///
    /// - Throws: ``FieldProblem`` or ``Veto`` for what does not fit, ``KernelError/usage(_:)``.
    func take(_ kernel: Kernel) throws -> CaptureResult {
        let fields = try Assignments(fields).pairs
        var draft = try kernel.draft(
            (email.map { [(name: "email", text: $0)] } ?? [])
                + fields.filter { !$0.name.hasPrefix("consent_") && !isChannel($0.name, of: kernel) })
        for field in fields where field.name.hasPrefix("consent_") {
            try draft.consent(to: String(field.name.dropFirst(8)), field.text, field: field.name)
        }
        draft.form = magnet
        draft.isByHouse = true
        let rules = kernel.config.site.leads.channels
        let given = [channel].compactMap(\.self) + fields.filter { isChannel($0.name, of: kernel) }.map(\.text)
        guard given.count <= 1 else { throw KernelError.usage("The channel is given more than once. Say it once.") }
        draft.arrive(
            landingPage == nil && referrer == nil ? nil : Arrival(landingPage: landingPage, referrer: referrer),
            kind: magnet == nil ? "manual" : "form",
            channel: try given.first.map { try Channel.named($0, rules: rules) },
            rules: rules)
        let proposal = draft
        return try kernel.write(origin: magnet.map { "form:\($0)" } ?? "cli") { try $0.capture(proposal) }
    }

    /// Of the touch, unless the site gives leads a column of this name.
    private func isChannel(_ field: String, of kernel: Kernel) -> Bool {
        field == "channel" && !kernel.draft().has("channel")
    }
}
