/// A symmetric matrix as the product of a lower triangle with itself, to solve equations with
/// (https://en.wikipedia.org/wiki/Cholesky_decomposition).
///
/// Columns that say the same as others leave nothing of their own on the diagonal. Such a direction is held still
/// rather than divided by nearly nothing, so that every matrix has an answer.
struct CholeskyFactor {
    private let size: Int
    /// Row by row; what lies above the diagonal is not read.
    private var lower: [Double]

    /// Below this share of its own diagonal a pivot is rounding and no information.
    private static let pivotShareMin = 1e-12

    /// - Parameter matrix: row by row, `size` times `size`; the lower triangle is read.
    init(_ matrix: [Double], size: Int) {
        self.size = size
        lower = matrix
        for column in 0..<size {
            let own = matrix[column * size + column]
            var pivot = own
            for index in 0..<column {
                let value = lower[column * size + index]
                pivot -= value * value
            }
            guard pivot > max(own, 1e-300) * CholeskyFactor.pivotShareMin, pivot.isFinite else {
                hold(column)
                continue
            }
            let root = pivot.squareRoot()
            lower[column * size + column] = root
            for row in (column + 1)..<max(size, column + 1) {
                var sum = matrix[row * size + column]
                for index in 0..<column { sum -= lower[row * size + index] * lower[column * size + index] }
                lower[row * size + column] = sum / root
            }
        }
    }

    /// An infinite pivot: whatever is solved for has 0 in this place.
    private mutating func hold(_ column: Int) {
        for index in 0..<column { lower[column * size + index] = 0 }
        for row in (column + 1)..<max(size, column + 1) { lower[row * size + column] = 0 }
        lower[column * size + column] = .infinity
    }

    /// The x of matrix · x = `right`.
    func solve(_ right: [Double]) -> [Double] {
        var x = right
        for row in 0..<size {
            var sum = x[row]
            for index in 0..<row { sum -= lower[row * size + index] * x[index] }
            x[row] = sum / lower[row * size + row]
        }
        for row in stride(from: size - 1, through: 0, by: -1) {
            var sum = x[row]
            for index in (row + 1)..<max(size, row + 1) { sum -= lower[index * size + row] * x[index] }
            x[row] = sum / lower[row * size + row]
        }
        return x
    }

    /// The diagonal of the inverse: the variances, where the matrix is an information matrix.
    func inverseDiagonal() -> [Double] {
        (0..<size).map { place in
            var unit = [Double](repeating: 0, count: size)
            unit[place] = 1
            return solve(unit)[place]
        }
    }
}
