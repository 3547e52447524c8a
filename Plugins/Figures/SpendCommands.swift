import Foundation
import TrellisKernel

/// `trellis spend`: money that no platform reports, such as a stand at a fair, and what is booked.
struct SpendCommands {
    var all: [Command] {
        [
            Command(
                "spend add", "Book what was paid on a day.",
                options: [
                    "day": "YYYY-MM-DD", "channel": "as in touches.channel: paid_search, webinar, offline, …",
                    "amount": "1234.56", "campaign": "the campaign; without it the channel as a whole",
                    "half": "generation (bringing leads), nurturing (bringing them on) or sales",
                    "currency": "that of the site without it",
                ], run: add),
            Command(
                "spend list", "What is booked, by month.",
                options: ["month": "YYYY-MM; that month by day", "channel": "that channel alone"], run: list),
        ]
    }

    private func add(_ call: CommandCall) throws -> CommandResult {
        guard let day = call.options["day"],
            let channel = call.options["channel"]?.trimmingCharacters(in: .whitespaces), !channel.isEmpty,
            let amount = call.options["amount"]
        else {
            throw KernelError.usage(
                "spend add needs --day, --channel and --amount: trellis spend add --day 2026-03-01 --channel webinar --amount 120"
            )
        }
        let half = call.options["half"] ?? "generation"
        guard SpendLine.halves.contains(half) else {
            throw KernelError.usage(
                "There is no half '\(half)'.\(NearMiss.hint(half, among: SpendLine.halves)) There are: \(SpendLine.halves.joined(separator: ", "))."
            )
        }
        let read = try SpendLine.day(day)
        let money = try SpendLine.amount(amount)
        let currency = try SpendLine.currency(
            call.options["currency"] ?? money.currency ?? call.kernel.config.site.site.currency)
        let total = try call.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: "INSERT INTO spend (day, channel, campaign, half, amount, currency) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [read, channel, call.options["campaign"], half, money.amount, currency])
            return try Double.fetchOne(
                tx.db, sql: "SELECT sum(amount) FROM spend WHERE day = ? AND channel = ? AND currency = ?",
                arguments: [read, channel, currency]) ?? 0
        }
        return .text(
            "Booked \(money.amount.money) \(currency) on \(channel); \(read) is at \(total.money) \(currency) there.")
    }

    private func list(_ call: CommandCall) throws -> CommandResult {
        let byDay = call.options["month"] != nil
        if let month = call.options["month"], month.wholeMatch(of: /\d{4}-\d{2}/) == nil {
            throw KernelError.usage("--month takes YYYY-MM, not '\(month)'.")
        }
        let table = try call.kernel.read { db in
            try Table(
                columns: [byDay ? "day" : "month", "channel", "campaign", "half", "amount", "currency"],
                Row.fetchAll(
                    db,
                    sql: """
                        SELECT \(byDay ? "day" : "substr(day, 1, 7)"), channel, campaign, half, round(sum(amount), 2), currency FROM spend
                        WHERE (:month IS NULL OR substr(day, 1, 7) = :month) AND (:channel IS NULL OR channel = :channel)
                        GROUP BY 1, channel, campaign, half, currency ORDER BY 1, channel, campaign, half
                        """, arguments: ["month": call.options["month"], "channel": call.options["channel"]]))
        }
        return .table(table)
    }
}

extension Double {
    /// With two decimals.
    var money: String { String(format: "%.2f", self) }
}
