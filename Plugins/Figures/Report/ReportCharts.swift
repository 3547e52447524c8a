import TrellisKernel

/// The charts of the page, each from the rows of a query.
struct ReportCharts {
    let period: ReportPeriod
    let course: Table
    let channels: Table
    let funnel: Table

    /// Those that have something to show.
    func all(sql: PeriodQueries) -> [PageValues] {
        [
            chart("New leads", Chart.columns(leads, title: "New leads by \(noun)"), sql.course),
            chart(
                "Revenue beside spend", Chart.columns(money, title: "Revenue and spend by \(noun)"), sql.course,
                note: "In \(course.rows.first?.last?.text ?? ""); the pale bar is the spend."),
            chart("Leads by channel", Chart.rows(roads, title: "Leads by channel"), sql.channels),
            chart(
                "From awareness to purchase", Chart.rows(steps, title: "The funnel of \(period.month)"), sql.funnel,
                note: ([leak].compactMap { $0 } + detours).joined(separator: " ").nonEmpty),
        ].compactMap { $0 }
    }

    private var noun: String { period.kind == .monthly ? "month" : "week" }

    private func chart(_ title: String, _ svg: String, _ sql: String, note: String? = nil) -> PageValues? {
        guard !svg.isEmpty else { return nil }
        var values: PageValues = ["title": .text(title), "svg": .text(svg), "sql": .text(sql)]
        values["note"] = .optional(note)
        return values
    }

    private var leads: [Chart.Bar] {
        course.rows.map { row in
            Chart.Bar(label: period.label(row[0].text ?? ""), value: row[1].number ?? 0, text: row[1].shown)
        }
    }

    private var money: [Chart.Bar] {
        course.rows.map { row in
            Chart.Bar(
                label: period.label(row[0].text ?? ""), value: row[2].number ?? 0, second: row[3].number ?? 0,
                text: (row[2].number?.rounded()).map(\.grouped) ?? "")
        }
    }

    private var roads: [Chart.Bar] {
        channels.rows.filter { ($0[1].number ?? 0) > 0 }.prefix(8).map { row in
            Chart.Bar(label: row[0].text ?? "", value: row[1].number ?? 0, text: row[1].shown)
        }
    }

    private var steps: [Chart.Bar] {
        funnel.rows.map { row in
            Chart.Bar(
                label: ReportCharts.step(row[1].text ?? ""), value: row[2].number ?? 0,
                text: row[2].shown + (row[3].number.map { " · \($0.grouped) %" } ?? ""))
        }
    }

    private var leak: String? {
        funnel.rows.first { $0[5] == "here" }.map { row in
            "The leak is before \(ReportCharts.step(row[1].text ?? "")): \(row[4].shown) are lost there."
        }
    }

    /// Where more people came to a step than were at the one before.
    var detours: [String] {
        zip(funnel.rows, funnel.rows.dropFirst()).compactMap { before, row in
            guard let people = row[2].number, let earlier = before[2].number, people > earlier else { return nil }
            let (step, last) = (ReportCharts.step(row[1].text ?? ""), ReportCharts.step(before[1].text ?? ""))
            return
                "More people are at '\(step)' (\(row[2].shown)) than at '\(last)' (\(before[2].shown)): the others came another way, as by an import."
        }
    }

    private static func step(_ name: String) -> String {
        ["(looked)": "looked", "(arrived)": "became a lead", "(bought)": "bought"][name] ?? name
    }
}
