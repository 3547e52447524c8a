import Testing

@testable import Scoring

/// Judged by leads it has not seen.
@Suite struct CrossValidationTests {
    @Test func `a model that learns by heart is found out`() throws {
        let leads = MadeLeads(400, weights: [Double](repeating: 0, count: 5), intercept: 0)
        let folds = Folds(leads.converted, count: 5, seed: 1)
        // It knows the outcome of every lead it has seen, and nothing about others.
        let validation = CrossValidation(leads.converted, folds: folds) { training in
            let seen = Set(training)
            return leads.converted.indices.map { seen.contains($0) && leads.converted[$0] ? 1 : 0 }
        }
        #expect(validation.areas == [0.5, 0.5, 0.5, 0.5, 0.5])
        #expect(validation.area == 0.5)
    }

    @Test func `each lead is scored by the model that did not see it`() {
        let converted = [true, false, true, false, true, false]
        let folds = Folds(converted, count: 3, seed: 1)
        let validation = CrossValidation(converted, folds: folds) { training in
            converted.indices.map { training.contains($0) ? 100 : Double($0) }
        }
        #expect(validation.scores == [0, 1, 2, 3, 4, 5])
        #expect(validation.areas.count == 3)
        #expect(validation.chances.allSatisfy { $0 > 0 && $0 < 1 })
    }

    @Test func `without both outcomes there is no area`() {
        let folds = Folds([true, true], count: 2, seed: 1)
        #expect(CrossValidation([true, true], folds: folds) { _ in [1, 2] }.area == nil)
    }
}
