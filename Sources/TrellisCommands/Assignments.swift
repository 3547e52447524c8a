import Foundation
import TrellisKernel

/// `name=value` words of the command line.
struct Assignments {
    let pairs: [(name: String, text: String)]

    init(_ words: [String]) throws {
        pairs = try words.map { word in
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
                throw KernelError.usage("Expected field=value, got '\(word)'.")
            }
            return (String(word[..<equals]), String(word[word.index(after: equals)...]))
        }
    }
}
