import TrellisKernel

extension Transaction {
    /// Tries work on many rows at once, and where a statement of it fails, on their halves, down to the rows it fails
    /// on. What does not fail stands. One row that fails among a thousand costs some twenty tries.
    ///
    /// - Parameters:
    ///   - ids: of the rows, the smallest first.
    ///   - most: after so many that fail, the rest is left untried.
    ///   - work: what is done with those from one id to another.
    ///   - failed: told of each that fails alone, and why.
    /// - Returns: whether none was left untried.
    func tryInHalves(
        _ ids: [Int64], most: Int = .max, _ work: (ClosedRange<Int64>) throws -> Void,
        failed: (Int64, String) throws -> Void
    ) throws -> Bool {
        var failures = 0
        func go(_ part: ArraySlice<Int64>) throws {
            guard failures < most, let first = part.first, let last = part.last else { return }
            guard let reason = try attempt({ try work(first...last) }) else { return }
            if part.count == 1 {
                failures += 1
                return try failed(first, reason)
            }
            let middle = part.startIndex + part.count / 2
            try go(part[..<middle])
            try go(part[middle...])
        }
        try go(ids[...])
        return failures < most
    }
}
