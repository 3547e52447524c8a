import Foundation
import Testing

@testable import DripSequencer

@Suite struct QuadratureTests {
    @Test func `polynomials up to degree 39 are exact`() {
        #expect(abs(Quadrature.integral(from: -1, to: 1) { pow($0, 38) } - 2.0 / 39) < 1e-14)
        #expect(abs(Quadrature.integral(from: 0, to: 1) { pow($0, 39) } - 1.0 / 40) < 1e-14)
        #expect(abs(Quadrature.integral(from: 0, to: Double.pi) { sin($0) } - 2) < 1e-14)
    }

    @Test func `the weights sum to the length, and the points are symmetrical`() {
        #expect(abs(Quadrature.points.map(\.weight).reduce(0, +) - 2) < 1e-14)
        #expect(abs(Quadrature.points.map(\.at).reduce(0, +)) < 1e-14)
    }
}
