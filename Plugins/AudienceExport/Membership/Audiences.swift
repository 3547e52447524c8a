import TrellisKernel

/// The audiences of the config, each as one SELECT over the file, in an order in which parts come before what is made
/// of them.
struct Audiences: Sendable {
    typealias Audience = Named<AudienceSettings.Audience>

    /// In the order of the config.
    let all: [Audience]
    /// Parts first.
    let inOrder: [Audience]
    /// Those that are made of themselves, by some way round.
    let circular: [Audience]
    private let clockTexts: [String: ClockText]
    private var digests: [String: String] = [:]

    init(_ settings: AudienceSettings) {
        all = settings.entries
        clockTexts = Dictionary(
            all.compactMap { audience in
                audience.value.sql.map { (audience.name, ClockText($0.value)) }
            }
        ) { first, _ in first }
        var done: [Audience] = []
        var rest = all
        while true {
            let ready = rest.filter { audience in
                audience.value.partNames.allSatisfy { part in !rest.contains { $0.name == part } }
            }
            if ready.isEmpty { break }
            done += ready
            rest.removeAll { audience in ready.contains { $0.name == audience.name } }
        }
        inOrder = done
        circular = rest
        for audience in inOrder {
            digests[audience.name] = Digest.hex(select(audience) + "\n" + String(audience.value.every.seconds))
        }
    }

    func named(_ name: String) -> Audience? { all.first { $0.name == name } }

    /// - Throws: ``KernelError/usage(_:)`` with what was probably meant.
    func require(_ name: String) throws -> Audience {
        guard let audience = named(name) else {
            throw KernelError.usage(
                "There is no audience '\(name)'.\(NearMiss.hint(name, among: all.map(\.name)))")
        }
        return audience
    }

    /// The audience's own SELECT with `:now` in it; nil where it is only made of others.
    func ownSQL(_ audience: Audience) -> String? { clockTexts[audience.name]?.sql }

    func clockText(_ audience: Audience) -> ClockText? { clockTexts[audience.name] }

    /// All it selects, from scratch: a SELECT of `lead_id` with `:now` where the clock is asked.
    func select(_ audience: Audience) -> String {
        var parts: [String] = []
        if let sql = ownSQL(audience) { parts.append("SELECT lead_id FROM (\(sql)\n) WHERE lead_id IS NOT NULL") }
        let members = audience.value.parts.compactMap(part)
        if !members.isEmpty {
            let union = members.map { "SELECT lead_id FROM (\(select($0)))" }.joined(separator: " UNION ")
            parts.append("SELECT lead_id FROM (\(union))")
        }
        let without = audience.value.without.compactMap(part).map {
            " EXCEPT SELECT lead_id FROM (\(select($0)))"
        }
        return parts.joined(separator: " INTERSECT ") + without.joined()
    }

    /// Never one that is made of itself, which would have no end.
    private func part(_ name: LocatedText) -> Audience? { inOrder.first { $0.name == name.value } }

    /// Those who are in it now: what it selects, as far as they are leads.
    func members(_ audience: Audience) -> String {
        "SELECT DISTINCT lead_id FROM (\(select(audience))) WHERE lead_id IN (SELECT id FROM leads)"
    }

    /// The values that a SELECT with these audiences in it wants.
    func arguments(_ sql: String, at stamp: String, _ further: StatementArguments = [:]) -> StatementArguments {
        // SQLite refuses a value that nothing asks for.
        sql.contains(":now") ? further &+ ["now": stamp] : further
    }

    /// Two audiences with one digest are one: by what it selects, and how often the clock is asked.
    func digest(_ audience: Audience) -> String { digests[audience.name] ?? "" }
}

extension AudienceSettings.Audience {
    /// The audiences it is made of.
    var partNames: [String] { (parts + without).map(\.value) }
}
