import Foundation
import TrellisKernel

/// What only the whole config can tell about audiences: SQL that does not fit the schema, other audiences, platforms,
/// columns, webhooks; and how each will be kept.
struct AudienceCheck {
    let audiences: Audiences
    let check: ConfigCheck

    func run() throws {
        for audience in audiences.circular {
            var place = audience.place
            place.path += ".\(audience.name)"
            let parts = audience.value.partNames.joined(separator: ", ")
            check.problem("the audience is made of itself, by way of \(parts).", at: place)
        }
        for audience in audiences.all { try run(audience) }
    }

    private func run(_ audience: Audiences.Audience) throws {
        let settings = audience.value
        if let sql = settings.sql { try select(sql, of: audience) }
        for other in settings.exclude + settings.parts + settings.without { self.audience(other) }
        for platform in settings.platforms + (settings.export?.platforms ?? []) { self.platform(platform) }
        for list in settings.lists { platform(Located(list.name, at: list.place)) }
        for phone in settings.phones { check.leadColumn(phone) }
        if let value = settings.value { check.leadPredicate(value) }
        for match in settings.match where Platform.Match(rawValue: match.value) == nil {
            let known = Platform.Match.allCases.map(\.rawValue)
            check.problem(
                "'\(match.value)' identifies nobody.\(NearMiss.hint(match.value, among: known)) There are: \(known.joined(separator: ", ")).",
                at: match.place)
        }
        if let export = settings.export, !export.isFolder { check.webhook(export.to) }
    }

    private func select(_ sql: LocatedText, of audience: Audiences.Audience) throws {
        guard let text = audiences.clockText(audience) else { return }
        for parameter in text.strangers {
            check.problem("nobody fills the parameter \(parameter). Only :now is known.", at: sql.place)
        }
        let before = check.problems.count
        check.select(Located(text.sql, at: sql.place), column: "lead_id")
        guard check.problems.count == before, text.strangers.isEmpty else { return }
        // It stands in parentheses where members are kept, which a semicolon at its end does not survive.
        guard !text.sql.trimmingCharacters(in: .whitespacesAndNewlines).hasSuffix(";") else {
            return check.problem("leave out the ';' at the end of the SELECT.", at: sql.place)
        }
        let upkeep = try check.read { try Upkeep(text, hasList: false, $0) }
        if let obstacle = upkeep.obstacle { check.note(Upkeep.advice(obstacle), at: sql.place) }
    }

    private func audience(_ name: LocatedText) {
        let names = audiences.all.map(\.name)
        guard !names.contains(name.value) else { return }
        check.problem("there is no audience '\(name.value)'.\(NearMiss.hint(name.value, among: names))", at: name.place)
    }

    private func platform(_ name: LocatedText) {
        guard Platform.named(name.value) == nil else { return }
        let known = Platform.names
        check.problem(
            "there is no platform '\(name.value)'.\(NearMiss.hint(name.value, among: known)) There are: \(known.joined(separator: ", ")).",
            at: name.place)
    }
}
