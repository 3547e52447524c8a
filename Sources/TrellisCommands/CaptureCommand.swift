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
    @Option(
        help: "The road the lead came on: outbound, offline, partner, …; without it what the two options below tell.")
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
        let kernel = try global.open(makesFile: true)
        var texts = email.map { [("email", $0)] } ?? []
        var consents: [(field: String, text: String)] = []
        for field in try Assignments(fields).pairs {
            guard field.name.hasPrefix("consent_") else {
                texts.append((field.name, field.text))
                continue
            }
            consents.append((field.name, field.text))
        }
        var draft = try kernel.draft(texts.map { (name: $0.0, text: $0.1) })
        for consent in consents {
            try draft.consent(to: String(consent.field.dropFirst(8)), consent.text, field: consent.field)
        }
        draft.form = magnet
        let arrival =
            landingPage == nil && referrer == nil ? nil : Arrival(landingPage: landingPage, referrer: referrer)
        draft.arrive(
            arrival, kind: magnet == nil ? "manual" : "form", channel: channel, rules: kernel.config.site.leads.channels
        )
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
