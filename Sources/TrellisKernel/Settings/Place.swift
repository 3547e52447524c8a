/// Where something stands in a text file. Lines and columns count from 1.
public struct Place: Sendable, Hashable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int
    /// The keys that lead there: `plugins.scoring.decay`. Empty at the top.
    public var path: String
    /// The blanks before each line of a text that begins on the line below, as after `sql: |`; nil for any other.
    public var blockIndent: Int?

    public init(file: String, line: Int = 0, column: Int = 0, path: String = "") {
        self.file = file
        self.line = line
        self.column = column
        self.path = path
    }

    /// The place of a byte of the text that was read from here; this place where the lines of the text are not lines of
    /// the file.
    public func of(byte offset: Int, in text: String) -> Place {
        guard let blockIndent, offset >= 0 else { return self }
        let before = text.utf8.prefix(offset)
        let ofLine = before.reversed().prefix { $0 != UInt8(ascii: "\n") }
        var place = self
        place.line += before.count { $0 == UInt8(ascii: "\n") } + 1
        place.column = blockIndent + ofLine.count { $0 & 0xC0 != 0x80 } + 1
        return place
    }

    /// `config.yaml:12:5`
    public var description: String {
        line > 0 ? "\(file):\(line):\(column)" : file
    }
}

/// A value together with the place it was read from, so that what is found out later can still be said with its place.
public struct Located<Value: Sendable>: Sendable {
    public var value: Value
    public var place: Place

    public init(_ value: Value, at place: Place = Place(file: "")) {
        self.value = value
        self.place = place
    }
}

extension Located: Equatable where Value: Equatable {}

/// SQL, or the name of something, as it was written in the config.
public typealias LocatedText = Located<String>

/// One entry of a mapping whose keys are names the configurer chose.
public struct Named<Value: Sendable>: Sendable {
    public var name: String
    public var place: Place
    public var value: Value

    public init(_ name: String, _ value: Value, at place: Place = Place(file: "")) {
        self.name = name
        self.value = value
        self.place = place
    }
}

/// One thing that is wrong with the configuration.
public struct ConfigProblem: Error, Sendable, Hashable, CustomStringConvertible {
    public var place: Place
    public var message: String

    public init(_ message: String, at place: Place) {
        self.message = message
        self.place = place
    }

    /// `config.yaml:12:5: plugins.scoring.decay: expected a duration, got 'soon'.`
    public var description: String {
        place.path.isEmpty ? "\(place): \(message)" : "\(place): \(place.path): \(message)"
    }
}

/// Everything that is wrong with the configuration, in the order of the file.
public struct ConfigProblems: Error, Sendable, CustomStringConvertible {
    public let problems: [ConfigProblem]

    public init(_ problems: [ConfigProblem]) {
        var seen = Set<ConfigProblem>()
        self.problems = problems.filter { seen.insert($0).inserted }.sorted {
            ($0.place.file, $0.place.line, $0.place.column) < ($1.place.file, $1.place.line, $1.place.column)
        }
    }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
