import Testing

@testable import Scoring

/// Equations, also those without one answer.
@Suite struct CholeskyFactorTests {
    @Test func `it solves what has an answer`() {
        // [4 2; 2 3] · [1; 2] = [8; 8]
        let factor = CholeskyFactor([4, 2, 2, 3], size: 2)
        let x = factor.solve([8, 8])
        #expect(abs(x[0] - 1) < 1e-12 && abs(x[1] - 2) < 1e-12)
        let inverse = factor.inverseDiagonal()
        #expect(abs(inverse[0] - 3.0 / 8) < 1e-12 && abs(inverse[1] - 4.0 / 8) < 1e-12)
    }

    @Test func `a column that says the same as another is held still`() {
        let x = CholeskyFactor([1, 1, 0, 1, 1, 0, 0, 0, 2], size: 3).solve([3, 3, 4])
        #expect(abs(x[0] - 3) < 1e-9 && x[1] == 0 && abs(x[2] - 2) < 1e-9)
    }

    @Test func `nothing but zeros, and no equation at all, have an answer`() {
        #expect(CholeskyFactor([0, 0, 0, 0], size: 2).solve([1, 1]) == [0, 0])
        #expect(CholeskyFactor([], size: 0).solve([]) == [])
        #expect(CholeskyFactor([.nan], size: 1).solve([1]) == [0])
    }
}
