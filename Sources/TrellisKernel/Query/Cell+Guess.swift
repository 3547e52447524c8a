extension Cell {
    /// A value that came as text, typed by how it looks: a number where it is one.
    public init(guessing text: String?) {
        guard let text else {
            self = .null
            return
        }
        if let number = Int64(text) {
            self = .integer(number)
        } else if let number = Double(text), number.isFinite {
            self = .real(number)
        } else {
            self = .text(text)
        }
    }
}
