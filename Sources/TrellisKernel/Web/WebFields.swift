/// The fields of a form as they came: names and texts in their order.
///
/// ```swift
/// let fields = try FormBody.query("email=nora%40example.com&tag=a&tag=b")
/// fields["email"]    // nora@example.com
/// fields.all("tag")  // ["a", "b"]
/// ```
public struct WebFields: Sendable, Hashable {
    /// One field: its name and its text.
    public struct Pair: Sendable, Hashable {
        public var name: String
        public var value: String
        /// Whether a program sent it as a number of JSON, which is written in one way only.
        public var isNumber = false

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }

        public static func == (left: Pair, right: Pair) -> Bool { (left.name, left.value) == (right.name, right.value) }

        public func hash(into hasher: inout Hasher) {
            hasher.combine(name)
            hasher.combine(value)
        }
    }

    /// The fields in the order they came in; a name may stand here more than once.
    public var pairs: [Pair]

    public init(_ pairs: [Pair] = []) {
        self.pairs = pairs
    }

    /// The text of the first field of this name; nil where there is none.
    public subscript(_ name: String) -> String? {
        pairs.first { $0.name == name }?.value
    }

    /// The texts of every field of this name, in their order.
    public func all(_ name: String) -> [String] {
        pairs.filter { $0.name == name }.map(\.value)
    }

    /// Whether the first field of this name is a number of JSON.
    public func isNumber(_ name: String) -> Bool { pairs.first { $0.name == name }?.isNumber == true }

    /// Whether there is no field at all.
    public var isEmpty: Bool { pairs.isEmpty }
}
