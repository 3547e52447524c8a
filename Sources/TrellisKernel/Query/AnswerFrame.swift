/// A piece of what a process that runs a ``GuardedQuery`` writes: a letter, the length of what follows in four bytes,
/// the highest first, and that. Whoever reads it takes the pieces as they are and understands none of them.
public struct AnswerFrame: Sendable, Hashable {
    public enum Kind: UInt8, Sendable {
        /// The names of the columns, as a JSON array.
        case columns = 0x63
        /// One row, in the form that was asked for.
        case row = 0x72
        /// How it ended: `{"cut": null}`, or `{"problem": "tooMuch", "sentence": "…"}`; with `"hidden"` where columns
        /// were read as NULL, each with the view that read it.
        case end = 0x65
    }

    public let kind: Kind
    public let body: [UInt8]

    public init(_ kind: Kind, _ body: [UInt8]) {
        self.kind = kind
        self.body = body
    }

    /// Appends the piece to what is written.
    public func write(to output: inout [UInt8]) {
        output.append(kind.rawValue)
        let count = UInt32(clamping: body.count)
        for shift in [24, 16, 8, 0] { output.append(UInt8(truncatingIfNeeded: count >> shift)) }
        output.append(contentsOf: body)
    }

    /// The whole pieces at the start of what was read so far; the rest is a piece that was cut off.
    public static func read(_ bytes: [UInt8]) -> [AnswerFrame] {
        var frames: [AnswerFrame] = []
        var position = 0
        while bytes.count - position >= 5, let kind = Kind(rawValue: bytes[position]) {
            let count = bytes[position + 1..<position + 5].reduce(0) { $0 << 8 | Int($1) }
            guard bytes.count - position - 5 >= count else { break }
            frames.append(AnswerFrame(kind, Array(bytes[position + 5..<position + 5 + count])))
            position += 5 + count
        }
        return frames
    }
}

extension GuardedQuery.Ending {
    /// How a process says it in the last piece.
    public var text: String {
        var entries: [(key: String, value: JSONValue)] = [("cut", cutBy.map(JSONValue.string) ?? .null)]
        if let problem {
            entries += [
                ("problem", .string(problem.kind.rawValue)), ("sentence", .string(problem.description)),
            ]
        }
        if !hidden.isEmpty {
            let columns = hidden.map { JSONValue.array([.string($0.name)] + ($0.reader.map { [.string($0)] } ?? [])) }
            entries.append(("hidden", .array(columns)))
        }
        return JSONValue.object(entries).text()
    }

    /// Reads what ``text`` wrote.
    public init(text: String) {
        let json = JSONValue(parsing: text)
        self.init(cutBy: json?["cut"]?.scalarText)
        hidden = (json?["hidden"]?.elements ?? []).compactMap { column in
            let parts = column.elements.compactMap(\.scalarText)
            return parts.first.map { HiddenColumn($0, reader: parts.dropFirst().first) }
        }
        if let kind = json?["problem"]?.scalarText.flatMap(QueryProblem.Kind.init) {
            problem = QueryProblem(kind, json?["sentence"]?.scalarText ?? "")
        }
    }
}
