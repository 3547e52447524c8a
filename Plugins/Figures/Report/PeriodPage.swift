import Foundation
import TrellisKernel

/// The page a manager reads: how a week or a month went against the one before, why, and what comes next.
struct PeriodPage {
    private let period: ReportPeriod
    private let queries: PeriodQueries
    private let db: Database
    private let now: Date

    init(_ question: PeriodReport, _ db: Database) {
        period =
            question.moment.map { ReportPeriod(question.period, of: $0, now: question.now) }
            ?? ReportPeriod(question.period, before: question.now)
        queries = PeriodQueries(period: period)
        now = question.now
        self.db = db
    }

    func document() throws -> PeriodDocument {
        let figures = try table(queries.figures)
        let reasons = try table(queries.reasons)
        let alarms = try table(queries.alarms)
        let course = try table(queries.course)
        let channels = try table(queries.channels)
        let funnel = try table(queries.funnel)
        let changes = Changes(figures: figures, reasons: reasons, period: period)
        let next = try table(queries.next)
        let charts = ReportCharts(period: period, course: course, channels: channels, funnel: funnel)
        var parts = [
            PeriodPart(
                "The figures", changes.table, sentences: changes.sentences,
                sql: queries.figures + ";\n\n" + queries.reasons),
            PeriodPart(
                "What is alarming", alarms, sentences: alarms.rows.isEmpty ? ["Nothing is."] : [], sql: queries.alarms),
            PeriodPart("Goals of \(period.month)", try table(queries.goals), sql: queries.goals),
            PeriodPart("Channels", channels, sql: queries.channels),
            PeriodPart(
                "From awareness to purchase, leads of \(period.month)", funnel, sentences: charts.detours,
                sql: queries.funnel),
            PeriodPart("Mails", try table(queries.mails), sql: queries.mails),
            PeriodPart("Sales", try table(queries.sales), sql: queries.sales),
            PeriodPart("What to do next", next, sql: queries.next),
        ]
        parts.removeAll { $0.table.rows.isEmpty && $0.sentences.isEmpty }
        let title = period.kind == .monthly ? "The month" : "The week"
        return PeriodDocument(
            title: "\(title): \(period.name), against \(period.nameBefore)", parts: parts, page: "figures-report",
            values: [
                "title": .text("\(title): \(period.name)"), "heading": .text(period.name.capitalisedFirst),
                "compared": .text("against \(period.nameBefore)"),
                "made_at": .text(String(Timestamp.text(now).prefix(16))), "tiles": .list(changes.tiles),
                "sentences": .list(changes.sentences.map { ["text": .text($0)] }),
                "charts": .list(charts.all(sql: queries)),
                // The figures stand in the tiles, and the reasons in the sentences below them.
                "figures_sql": .text(queries.figures), "reasons_sql": .text(queries.reasons),
                "parts": .list(parts.dropFirst().map(PeriodPage.values)),
            ])
    }

    private func table(_ sql: String) throws -> Table {
        let statement = try db.makeStatement(sql: sql)
        return Table(columns: statement.columnNames, try Row.fetchAll(statement))
    }

    private static func values(_ part: PeriodPart) -> PageValues {
        let isNumber = part.table.columns.indices.map { column in
            part.table.rows.contains { $0[column].number != nil }
                && part.table.rows.allSatisfy { $0[column].number != nil || $0[column] == .null }
        }
        return [
            "title": .text(part.title), "sql": .text(part.sql), "has_rows": .flag(!part.table.rows.isEmpty),
            "sentences": .list(part.sentences.map { ["text": .text($0)] }),
            "columns": .list(
                zip(part.table.columns, isNumber).map {
                    [
                        "name": .text($0.replacing("_percent", with: " %").replacing("_", with: " ")),
                        "is_number": .flag($1),
                    ]
                }),
            "rows": .list(
                part.table.rows.map { row in
                    [
                        "cells": .list(
                            zip(row, isNumber).map {
                                [
                                    "text": .text($0.shown), "is_number": .flag($1),
                                    "is_long": .flag(!$1 && $0.shown.count > 40),
                                ]
                            })
                    ]
                }),
        ]
    }
}

extension String {
    var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }
    /// Nil for a text without a letter.
    var nonEmpty: String? { isEmpty ? nil : self }
}
