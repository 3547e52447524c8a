/// What was paid on one day for one thing, read from texts as people and reports write them.
public struct SpendLine: Sendable, Hashable {
    /// What the money was for.
    struct Key: Sendable, Hashable, Comparable {
        let day: String
        let channel: String
        let campaign: String?
        let half: String
        let currency: String

        static func < (left: Key, right: Key) -> Bool {
            (left.day, left.channel, left.campaign ?? "", left.half, left.currency)
                < (right.day, right.channel, right.campaign ?? "", right.half, right.currency)
        }
    }

    let key: Key
    let amount: Double

    /// What the work is for: bringing leads, bringing them on, selling.
    public static let halves = ["generation", "nurturing", "sales"]
    /// More than anybody pays for a day, and few enough that sums stay exact to the cent.
    static let amountMax = 1e12

    /// `2026-03-01`, `3/1/2026` as the platforms write it (month first), `01.03.2026`, or as `format` says.
    ///
    /// - Throws: ``FieldProblem`` for what is no day.
    public static func day(_ text: String, _ format: String = "YYYY-MM-DD") throws -> String {
        let head = String(text.prefix { $0 != " " && $0 != "T" })
        var iso = head
        if head.contains("/") {
            iso = ColumnPlan.isoDay(head, format.hasPrefix("DD") ? "DD/MM/YYYY" : "MM/DD/YYYY")
        } else if head.contains(".") {
            iso = ColumnPlan.isoDay(head, "DD.MM.YYYY")
        }
        guard iso.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) != nil, Timestamp.date(iso + " 00:00:00.000") != nil,
            let day = Timestamp.date(iso + " 00:00:00.000"), Timestamp.text(day).hasPrefix(iso)
        else {
            throw FieldProblem(field: "day", message: "expected a day such as 2026-03-01")
        }
        return iso
    }

    /// `1,234.56`, `1.234,56`, `1 234,56`, `€ 12.50`. A lone comma before exactly three digits parts thousands, a lone
    /// point is decimal.
    ///
    /// - Throws: ``FieldProblem`` for what is no amount, or below zero.
    public static func amount(_ text: String) throws -> (amount: Double, currency: String?) {
        let signs: [Character: String] = ["€": "EUR", "£": "GBP", "¥": "JPY"]
        let currency =
            text.lazy.compactMap { signs[$0] }.first
            ?? text.firstMatch(of: /[A-Z]{3}/).map { String($0.0) }
        let digits = text.filter { $0.isASCII && $0.isNumber || ",.-".contains($0) }
        let isClean = text.allSatisfy {
            $0.isASCII && $0.isNumber || ",.-' $\u{a0}\u{202f}".contains($0) || signs[$0] != nil
                || $0.isASCII && $0.isUppercase
        }
        guard isClean, let amount = Double(plain(digits)), amount.isFinite, amount <= amountMax else {
            throw FieldProblem(field: "amount", message: "expected an amount such as 1234.56")
        }
        guard amount >= 0 else {
            throw FieldProblem(
                field: "amount", message: "is below zero. Take a credit off the spend of the day it is for.")
        }
        return (amount, currency)
    }

    /// The digits with a point before the decimals, and nothing else.
    private static func plain(_ digits: String) -> String {
        guard let last = digits.lastIndex(where: { ",.".contains($0) }) else { return digits }
        let mark = digits[last]
        let decimals = digits[digits.index(after: last)...].count
        let isAlone = digits.filter { ",.".contains($0) }.count == 1
        let isDecimal = isAlone ? mark == "." || decimals != 3 : digits.filter { $0 == mark }.count == 1
        let whole = digits[..<last].filter { !",.".contains($0) }
        let rest = digits[digits.index(after: last)...]
        return isDecimal ? "\(whole).\(rest)" : whole + String(rest)
    }

    /// A code of ISO 4217, as it is written: three capital letters.
    ///
    /// - Throws: ``FieldProblem`` for anything but three letters.
    public static func currency(_ text: String) throws -> String {
        guard text.wholeMatch(of: /[A-Za-z]{3}/) != nil else {
            throw FieldProblem(field: "currency", message: "expected a code such as EUR")
        }
        return text.uppercased()
    }
}
