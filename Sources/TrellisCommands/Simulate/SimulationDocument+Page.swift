import Foundation
import TrellisKernel

// MARK: - The page

extension SimulationDocument {
    /// The values of the page `simulation`.
    var values: PageValues {
        [
            "title": .text("What would happen in \(span)"), "heading": .text(title),
            "sentences": .list(sentences.map { ["text": .text($0)] }), "charts": .list(charts),
            "tiles": .list(tiles), "parts": .list(parts), "seed": .text(String(first.seed)),
            "made_at": .text(String(Timestamp.text(first.from).prefix(16))),
            "legend": .list(
                second.map { [["first": .text(first.config), "second": .text($0.config)]] } ?? []),
        ]
    }

    // MARK: - Charts

    private var charts: [PageValues] {
        first.sections.compactMap { section in
            let svg: String
            switch section.drawing {
            case .none: return nil
            case .course:
                svg = Chart.columns(bars(of: section), title: section.title, isLastNow: false)
            case .bars: svg = Chart.rows(bars(of: section), title: "\(section.title): \(measure(of: section))")
            }
            guard !svg.isEmpty else { return nil }
            return ["title": .text(section.title), "svg": .text(svg), "note": .text(caption(of: section))]
        }
    }

    private func caption(of section: SimulationSection) -> String {
        switch measure(of: section) {
        case "at end" where second == nil: "At the end; the pale bar is the start."
        case "at end": "At the end."
        case "mails": "Day by day, to leads and to the house."
        case let measure: "How many \(measure == "offered" ? "were offered" : measure)."
        }
    }

    /// What a bar is as long as: the column that says most of a row.
    private func measure(of section: SimulationSection) -> String {
        section.table.columns[column(of: section)].replacing("_", with: " ")
    }

    private func column(of section: SimulationSection) -> Int {
        let wanted = ["entered", "offered", "at_end", "mails"]
        return wanted.lazy.compactMap { section.table.columns.firstIndex(of: $0) }.first
            ?? section.table.columns.count - 1
    }

    private func bars(of section: SimulationSection) -> [Chart.Bar] {
        let place = column(of: section) - section.keys
        let other = second?.sections.first { $0.title == section.title }
        let pairs = section.paired(with: other)
        return pairs.map { key, left, right in
            let mine = left[place].number ?? 0
            let label = key.first?.text ?? ""
            let start = section.table.columns.firstIndex(of: "at_start").map { left[$0 - section.keys].number ?? 0 }
            let isStage = section.table.columns[place + section.keys] == "at_end"
            let beside = second == nil ? (isStage ? start : nil) : right[place].number ?? 0
            return Chart.Bar(
                label: section.drawing == .course ? String(label.suffix(2)) : label, value: mine, second: beside,
                text: second == nil || beside == mine ? mine.grouped : "\(mine.grouped) → \((beside ?? 0).grouped)")
        }
    }

    // MARK: - Figures

    private var tiles: [PageValues] {
        let sent = total("Mails a day", "to_leads")
        return [
            ("New leads", .some((first.newLeads, second?.newLeads))), ("Mails to leads", sent),
            ("Mails that had to wait", total("Mails", "had_to_wait")),
            ("Entered a sequence", total("Sequences", "entered")),
            ("Handoffs offered", total("Handoffs by rep", "offered")),
        ].compactMap { name, numbers in
            guard let (mine, theirs) = numbers else { return nil }
            let differs = theirs.map { $0 != mine } ?? false
            return [
                "name": .text(name), "value": .text(Double(mine).grouped),
                "change": .text(
                    differs
                        ? "→ \(Double(theirs ?? 0).grouped) under the other"
                        : second == nil ? "" : "the same under both"),
            ]
        }
    }

    private func total(_ title: String, _ column: String) -> (Int, Int?)? {
        func sum(_ outcome: SimulationOutcome) -> Int? {
            guard let table = outcome.sections.first(where: { $0.title == title })?.table,
                let place = table.columns.firstIndex(of: column)
            else { return nil }
            return Int(table.rows.reduce(0) { $0 + ($1[place].number ?? 0) })
        }
        guard let mine = sum(first) ?? second.flatMap(sum).map({ _ in 0 }) else { return nil }
        return (mine, second.map { sum($0) ?? 0 })
    }

    // MARK: - Tables

    private var parts: [PageValues] {
        (sections.map { ($0.title, $0.table) } + (first.rates.map { [("What was assumed of people", $0)] } ?? [])).map {
            SimulationDocument.part($0, $1)
        }
    }

    private static func part(_ title: String, _ table: Table) -> PageValues {
        let isNumber = table.columns.indices.map { column in
            table.rows.allSatisfy { row in
                row[column].number != nil || (row[column].text ?? "–").contains(/^[\d.,–]+( → [\d.,–]+)?$/)
            }
        }
        return [
            "title": .text(title),
            "columns": .list(
                zip(table.columns, isNumber).map {
                    ["name": .text($0.replacing("_", with: " ")), "is_number": .flag($1)]
                }),
            "rows": .list(
                table.rows.map { row in
                    [
                        "cells": .list(
                            zip(row, isNumber).map { cell, isNumber in
                                [
                                    "text": .text(cell.shown), "is_number": .flag(isNumber),
                                    "is_long": .flag(!isNumber && cell.shown.count > 40),
                                    "differs": .flag(cell.text?.contains(" → ") ?? false),
                                ]
                            })
                    ]
                }),
        ]
    }
}
