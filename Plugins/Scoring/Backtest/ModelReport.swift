import Foundation
import TrellisKernel

/// How well scores tell who converts: the area under the curve, each threshold, the chances, and a threshold to take.
struct ModelReport {
    let ranked: RankedScores
    let curve: ThresholdCurve
    let calibration: Calibration
    /// The area under the curve by fold.
    let areas: [Double]
    let suggestion: (point: ThresholdCurve.Point?, sentence: String)
    /// Thresholds of the config, with what would have come of them.
    var configured: [(name: String, point: ThresholdCurve.Point)] = []

    /// Rows of thresholds in a table, beside those of the config.
    private static let thresholdsShown = 12

    /// - Parameters:
    ///   - scores: of each lead.
    ///   - validation: the same leads, judged by folds.
    init(
        _ scores: [Double], _ converted: [Bool], _ validation: CrossValidation, _ options: BacktestOptions,
        leadsPerWeek: Double?
    ) {
        ranked = RankedScores(scores, converted)
        curve = ThresholdCurve(ranked)
        calibration = Calibration(validation.chances, converted)
        areas = validation.areas
        suggestion = options.goal.suggestion(curve, leadsPerWeek: options.leadsPerWeek ?? leadsPerWeek)
    }

    /// `AUC 0.861 (by fold 0.849 to 0.871, mean 0.860)`
    var area: String {
        guard let area = ranked.areaUnderCurve else { return "AUC unknown" }
        guard let least = areas.min(), let most = areas.max() else { return "AUC \(ModelReport.decimal(area))" }
        let mean = ModelReport.decimal(areas.reduce(0, +) / Double(areas.count))
        let range = "\(ModelReport.decimal(least)) to \(ModelReport.decimal(most))"
        return "AUC \(ModelReport.decimal(area)) (\(areas.count) folds: mean \(mean), \(range))"
    }

    var lines: [String] {
        let guess = ModelReport.decimal(calibration.brierOfGuess)
        return [
            "\(area), where 0.5 is chance and 1 is certainty.",
            "Brier score \(ModelReport.decimal(calibration.brier)); giving everybody the same chance has \(guess).",
            "",
        ] + thresholdChart.lines + ["", suggestion.sentence, ""] + calibrationChart.lines
    }

    // MARK: - Thresholds

    private var shown: [(point: ThresholdCurve.Point, mark: String)] {
        var shown = curve.readable(ModelReport.thresholdsShown).map { (point: $0, mark: "") }
        shown.removeAll { row in
            row.point.score == suggestion.point?.score || configured.contains { $0.point.score == row.point.score }
        }
        shown += configured.map {
            (
                point: $0.point,
                mark: $0.point.score == suggestion.point?.score ? "\($0.name) now, suggested" : "\($0.name) now"
            )
        }
        if let point = suggestion.point, !configured.contains(where: { $0.point.score == point.score }) {
            shown.append((point: point, mark: "suggested"))
        }
        return shown.sorted { $0.point.score > $1.point.score }
    }

    private var thresholdChart: BarChart {
        BarChart(
            heading: "score from", columns: ["precision", "recall"],
            rows: shown.map {
                BarChart.Row(
                    label: ReadableCuts.text($0.point.score), leads: $0.point.leads,
                    shares: [$0.point.precision, $0.point.recall], mark: $0.mark)
            })
    }

    var thresholds: Table {
        Table(
            columns: ["score_from", "leads", "converted", "precision", "recall", "f1", "mark"],
            rows: shown.map { point, mark in
                [
                    .real(point.score), .integer(Int64(point.leads)), .integer(Int64(point.converted)),
                    .real(ModelReport.rounded(point.precision)), .real(ModelReport.rounded(point.recall)),
                    .real(ModelReport.rounded(point.balance)), mark.isEmpty ? .null : .text(mark),
                ]
            })
    }

    // MARK: - Calibration

    private var calibrationChart: BarChart {
        BarChart(
            heading: "tenth", columns: ["predicted", "seen"],
            rows: calibration.parts.enumerated().map { number, part in
                BarChart.Row(label: "\(number + 1)", leads: part.leads, shares: [part.predicted, part.seen])
            })
    }

    var calibrationTable: Table {
        Table(
            columns: ["tenth", "leads", "predicted", "seen"],
            rows: calibration.parts.enumerated().map { number, part in
                [
                    .integer(Int64(number + 1)), .integer(Int64(part.leads)),
                    .real(ModelReport.rounded(part.predicted)), .real(ModelReport.rounded(part.seen)),
                ]
            })
    }

    var model: Table {
        let mean = areas.isEmpty ? nil : areas.reduce(0, +) / Double(areas.count)
        let figures: [(String, Double?)] = [
            ("leads", Double(ranked.leads)), ("converted", Double(ranked.converted)), ("auc", ranked.areaUnderCurve),
            ("auc_mean_of_folds", mean), ("auc_lowest_fold", areas.min()), ("auc_highest_fold", areas.max()),
            ("brier", calibration.brier), ("brier_of_guess", calibration.brierOfGuess),
            ("suggested_threshold", suggestion.point?.score),
        ]
        return Table(
            columns: ["figure", "value"],
            rows: figures.map { [.text($0), $1.map { .real(ModelReport.rounded($0)) } ?? .null] })
    }

    // MARK: - As a file

    /// Draws it; the folder must be there.
    func draw(into path: String, title: String) throws {
        let drawing = CurveDrawing(
            title: title, subtitle: "\(ranked.leads) leads, \(ranked.converted) converted. \(area)", curve: curve,
            calibration: calibration, suggested: suggestion.point)
        do {
            try Data(drawing.svg.utf8).write(to: URL(filePath: path))
        } catch {
            throw KernelError.usage("--svg: '\(path)' cannot be written. Name a file in a folder that is there.")
        }
    }

    static func decimal(_ number: Double) -> String { String(format: "%.3f", number) }
    static func rounded(_ number: Double) -> Double { (number * 10_000).rounded() / 10_000 }
}
