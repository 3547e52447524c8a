import TrellisKernel

/// What changed against the period before, and which channels or reps it came from.
struct Changes {
    private let figures: [Figure]
    private let reasons: [Reason]
    private let period: ReportPeriod

    /// The figures with their change, for the shell: in percent, and of a rate in points.
    var table: Table {
        Table(
            columns: ["figure", period.kind == .monthly ? "this_month" : "this_week", "before", "change", "in"],
            rows: figures.map { figure in
                [
                    .text(figure.title), figure.now.map(Cell.real) ?? .null, figure.before.map(Cell.real) ?? .null,
                    figure.change.map { .real(($0 * 10).rounded() / 10) } ?? .null,
                    figure.change == nil ? .null : .text(figure.unit == "%" ? "points" : "percent"),
                ]
            })
    }

    private struct Figure {
        let name: String
        let unit: String
        let now: Double?
        let before: Double?

        var title: String { unit.count == 3 ? "\(name) (\(unit))" : name }
        var isBetterSmall: Bool { ["Cost per lead", "Hours until sales answers"].contains(name) }
        /// In percent; of a rate in points. Nil where there is nothing to compare with.
        var change: Double? {
            guard let now, let before else { return nil }
            if unit == "%" { return now - before }
            return before == 0 ? nil : 100 * (now - before) / before
        }
    }

    private struct Reason {
        let what: String
        let cause: String
        let change: Double
    }

    init(figures: Table, reasons: Table, period: ReportPeriod) {
        self.period = period
        self.figures = figures.rows.map { row in
            Figure(name: row[0].text ?? "", unit: row[1].text ?? "", now: row[2].number, before: row[3].number)
        }
        self.reasons = reasons.rows.map { row in
            Reason(what: row[0].text ?? "", cause: row[1].text ?? "", change: row[4].number ?? 0)
        }
    }

    /// The tiles at the head of the page.
    var tiles: [PageValues] {
        figures.map { figure in
            let sign = figure.change.map { abs($0) < 0.05 ? 0 : $0 < 0 ? -1 : 1 } ?? 0
            let isGood = figure.isBetterSmall ? sign < 0 : sign > 0
            let isJudged = figure.name != "Spend" && sign != 0
            return [
                "name": .text(figure.title), "value": .text(Changes.shown(figure.now, figure.unit)),
                "change": .text(Changes.change(figure)), "before": .text(Changes.shown(figure.before, figure.unit)),
                "is_good": .flag(isJudged && isGood), "is_bad": .flag(isJudged && !isGood),
            ]
        }
    }

    /// What changed and why, from the rows alone: at most six sentences.
    var sentences: [String] {
        var sentences: [String] = []
        for (name, what) in [("New leads", "leads"), ("Qualified by marketing", "qualified leads")] {
            guard let figure = figures.first(where: { $0.name == name }), let now = figure.now,
                let before = figure.before,
                now != before || now > 0
            else { continue }
            sentences.append(sentence(name, now, before, causes: reasons.filter { $0.what == what }))
        }
        for figure in figures where figure.name == "Revenue" {
            let causes = reasons.filter { $0.what == "revenue in \(figure.unit)" }
            sentences.append(sentence(figure.title, figure.now ?? 0, figure.before ?? 0, causes: causes))
        }
        for figure in figures
        where ["Cost per lead", "Mails engaged with", "Hours until sales answers"].contains(figure.name) {
            guard let now = figure.now, let before = figure.before, let change = figure.change,
                abs(change) >= (figure.unit == "%" ? 1 : 5)
            else {
                continue
            }
            let way = change > 0 ? "rose" : "fell"
            let judged = (change > 0) == figure.isBetterSmall ? "the worse" : "the better"
            sentences.append(
                "\(figure.title) \(way) from \(Changes.shown(before, figure.unit)) to \(Changes.shown(now, figure.unit)), for \(judged)."
            )
        }
        return Array(sentences.prefix(6))
    }

    private func sentence(_ name: String, _ now: Double, _ before: Double, causes: [Reason]) -> String {
        guard now != before else { return "\(name): \(now.grouped), as before." }
        let percent = before > 0 ? " (\(Changes.signed(100 * (now - before) / before)) %)" : ""
        let head = "\(name) \(now > before ? "rose" : "fell") from \(before.grouped) to \(now.grouped)\(percent)"
        // Those that pulled the same way first: they are the reason.
        let along = causes.filter { ($0.change > 0) == (now > before) }.prefix(2)
        let against = causes.filter { ($0.change > 0) != (now > before) }.prefix(1)
        let most = along.map { "\($0.cause) \(Changes.signed($0.change))" }.joined(separator: " and ")
        let least = against.map { "; against it \($0.cause) \(Changes.signed($0.change))" }.joined()
        return head + (most.isEmpty ? "." : ": \(most)\(least).")
    }

    private static func shown(_ value: Double?, _ unit: String) -> String {
        guard let value else { return "–" }
        return value.grouped + (["%", "h"].contains(unit) ? " \(unit)" : "")
    }

    private static func change(_ figure: Figure) -> String {
        guard let change = figure.change else { return figure.before == nil ? "new" : "" }
        guard abs(change) >= 0.05 else { return "unchanged" }
        return "\(signed((change * 10).rounded() / 10)) \(figure.unit == "%" ? "points" : "%")"
    }

    private static func signed(_ value: Double) -> String {
        (value > 0 ? "+" : "") + ((value * 10).rounded() / 10).grouped
    }
}
