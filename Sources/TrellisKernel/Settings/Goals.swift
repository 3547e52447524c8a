/// `goals:` of the config: what marketing and sales agreed on. The figures are held against it (`ladder_goals`).
public struct Goals: SettingsRecord {
    public var leadsPerMonth: Double?
    public var mqlPerMonth: Double?
    public var sqlPerMonth: Double?
    public var customersPerMonth: Double?
    public var revenuePerMonth: Double?
    public var costPerLead: Double?
    public var speedToLead: Span?
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("leads_per_month", \.leadsPerMonth, optional: .goal, "New leads in a month.")
        SettingsField("mql_per_month", \.mqlPerMonth, optional: .goal, "Leads that become mql in a month.")
        SettingsField("sql_per_month", \.sqlPerMonth, optional: .goal, "Leads that become sql in a month.")
        SettingsField("customers_per_month", \.customersPerMonth, optional: .goal, "New customers in a month.")
        SettingsField(
            "revenue_per_month", \.revenuePerMonth, optional: .goal,
            "What deals won in a month are worth, in the currency of the site.")
        SettingsField(
            "cost_per_lead", \.costPerLead, optional: .goal,
            "What a new lead may cost at most, in the currency of the site.")
        SettingsField(
            "speed_to_lead", \.speedToLead, optional: .span, "From the handoff to the first word of sales, at most.")
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        guard speedToLead?.seconds == 0 else { return [] }
        return [ConfigProblem("speed_to_lead is no time at all. Write one such as 4 hours, or remove it.", at: place)]
    }

    /// The goals as rows of the table `goals`.
    private func rows(_ currency: String) -> [(name: String, value: Double?, unit: String)] {
        [
            ("leads_per_month", leadsPerMonth, "leads"), ("mql_per_month", mqlPerMonth, "leads"),
            ("sql_per_month", sqlPerMonth, "leads"), ("customers_per_month", customersPerMonth, "leads"),
            ("revenue_per_month", revenuePerMonth, currency), ("cost_per_lead", costPerLead, currency),
            ("speed_to_lead", speedToLead.map { Double($0.seconds) / 3600 }, "hours"),
        ]
    }

    /// Puts them where SQL finds them, and writes nothing where they are there already.
    func keep(in currency: String, _ db: Database) throws {
        try db.execute(sql: "UPDATE site SET currency = :it WHERE currency <> :it", arguments: ["it": currency])
        for row in rows(currency) {
            guard let value = row.value else {
                try db.execute(sql: "DELETE FROM goals WHERE name = ?", arguments: [row.name])
                continue
            }
            try db.execute(
                sql: """
                    INSERT INTO goals (name, value, unit) VALUES (?, ?, ?)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value, unit = excluded.unit
                    WHERE (value, unit) IS NOT (excluded.value, excluded.unit)
                    """, arguments: [row.name, value, row.unit])
        }
    }
}

extension SettingType where Value == Double {
    /// A number above zero: nobody agrees on nothing.
    static var goal: SettingType {
        SettingType(
            scalar: "a number above 0",
            schema: .object([("type", .string("number")), ("exclusiveMinimum", .integer(0))])
        ) { text in Double(text).flatMap { $0 > 0 && $0 <= 1e12 ? $0 : nil } }
    }
}
