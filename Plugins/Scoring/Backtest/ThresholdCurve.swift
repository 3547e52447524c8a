/// What would have come of each threshold: the leads at or above it, and how many of them converted.
struct ThresholdCurve: Sendable {
    struct Point: Sendable, Equatable {
        let score: Double
        /// At this score or above.
        let leads: Int
        let converted: Int
        /// Of those passed on, the share that converted.
        let precision: Double
        /// Of those who converted, the share that was passed on.
        let recall: Double
        /// The harmonic mean of both.
        var balance: Double { precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0 }

        /// - Parameter all: how many converted, above the threshold or below.
        init(score: Double, leads: Int, converted: Int, of all: Int) {
            self.score = score
            self.leads = leads
            self.converted = converted
            precision = Double(converted) / Double(max(1, leads))
            recall = Double(converted) / Double(max(1, all))
        }
    }

    /// One per score, the highest first.
    let points: [Point]
    private let converted: Int

    init(_ ranked: RankedScores) {
        var points: [Point] = []
        var (leads, converted) = (0, 0)
        for step in ranked.steps {
            leads += step.leads
            converted += step.converted
            points.append(Point(score: step.score, leads: leads, converted: converted, of: ranked.converted))
        }
        self.points = points
        self.converted = ranked.converted
    }

    private init(points: [Point], converted: Int) {
        self.points = points
        self.converted = converted
    }

    /// The same at whole scores alone, for the config takes no others as thresholds.
    var whole: ThresholdCurve {
        var kept: [Point] = []
        for point in points {
            let score = point.score.rounded(.down)
            // Of all that round to one score the last has them all at or above it.
            if kept.last?.score == score { kept.removeLast() }
            kept.append(Point(score: score, leads: point.leads, converted: point.converted, of: converted))
        }
        return ThresholdCurve(points: kept, converted: converted)
    }

    /// Fewer leads than this make a share that the next month may not repeat.
    static let leadsMin = 20

    /// The lowest threshold that keeps the precision: it passes on the most leads. Nil where none does with enough
    /// leads above it.
    func threshold(precision: Double) -> Point? {
        points.last { $0.precision >= precision && $0.leads >= ThresholdCurve.leadsMin }
    }

    /// The lowest threshold that passes on no more than a share of the leads. Nil where already the highest score is
    /// had by more.
    func threshold(share: Double) -> Point? {
        guard let all = points.last?.leads else { return nil }
        return points.last { Double($0.leads) <= share * Double(all) }
    }

    /// The threshold with the best balance of precision and recall (F1).
    var balanced: Point? {
        points.max { ($0.balance, $0.score) < ($1.balance, $1.score) }
    }

    /// The point a whole score stands for: the leads at or above it. Nil where no lead is.
    func point(at score: Double) -> Point? { points.last { $0.score >= score } }

    /// A few thresholds at readable scores over the whole range, the highest first, for a table.
    func readable(_ count: Int) -> [Point] {
        guard let highest = points.first?.score, let lowest = points.last?.score else { return [] }
        let step = ReadableCuts.step(over: highest - lowest, parts: count)
        var thresholds: [Double] = []
        var score = (highest / step).rounded(.down) * step
        while score > lowest, thresholds.count < 4 * count {
            thresholds.append(score)
            score -= step
        }
        let rest = points.last.map { [$0] } ?? []
        return thresholds.compactMap { threshold in
            point(at: threshold).map {
                Point(score: threshold, leads: $0.leads, converted: $0.converted, of: converted)
            }
        } + rest
    }
}
