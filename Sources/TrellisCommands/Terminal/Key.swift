/// A key as a terminal sends it.
enum Key: Hashable {
    case text(String)
    case enter, tab, backspace, delete, escape
    case left, right, up, down, home, end, wordLeft, wordRight
    /// A letter with the control key, in lower case.
    case control(Character)
    /// A letter with the alt key, in lower case.
    case alt(Character)
    /// What no key here is, which does nothing.
    case unknown

    /// The keys of some bytes, and how many bytes they took: what is left began a key and is not all of it.
    ///
    /// Sequences are those of ECMA-48 and of xterm (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html).
    ///
    /// - Parameter isAll: whether nothing follows for now, so that a lone escape is the escape key.
    static func read(_ bytes: [UInt8], isAll: Bool) -> (keys: [Key], count: Int) {
        var keys: [Key] = []
        var position = 0
        while position < bytes.count {
            guard let (key, count) = next(bytes[position...], isAll: isAll) else { break }
            keys.append(key)
            position += count
        }
        return (keys, position)
    }

    private static func next(_ bytes: ArraySlice<UInt8>, isAll: Bool) -> (Key, Int)? {
        guard let first = bytes.first else { return nil }
        switch first {
        case 0x0A, 0x0D: return (.enter, 1)
        case 0x09: return (.tab, 1)
        case 0x08, 0x7F: return (.backspace, 1)
        case 0x1B: return sequence(bytes, isAll: isAll)
        case 0x01...0x1A: return (.control(Character(Unicode.Scalar(first + 0x60))), 1)
        case 0x00...0x1F: return (.unknown, 1)
        default:
            let count = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
            guard bytes.count >= count else { return isAll ? (.unknown, bytes.count) : nil }
            guard let text = String(validating: bytes.prefix(count), as: UTF8.self) else { return (.unknown, 1) }
            return (.text(text), count)
        }
    }

    private static func sequence(_ bytes: ArraySlice<UInt8>, isAll: Bool) -> (Key, Int)? {
        let rest = Array(bytes.dropFirst())
        guard let kind = rest.first else { return isAll ? (.escape, 1) : nil }
        guard kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else {
            if kind == 0x7F { return (.alt("\u{7F}"), 2) }
            return (0x20..<0x7F).contains(kind)
                ? (.alt(Character(Character(Unicode.Scalar(kind)).lowercased())), 2) : (.escape, 1)
        }
        // Parameters, and then a letter or ~.
        guard let end = rest.dropFirst().firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            return isAll || rest.count > 16 ? (.unknown, bytes.count) : nil
        }
        let parameters = String(decoding: rest[1..<end], as: UTF8.self)
        return (key(parameters, Character(Unicode.Scalar(rest[end]))), end + 2)
    }

    private static func key(_ parameters: String, _ letter: Character) -> Key {
        let isWord = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
        return switch (letter, parameters) {
        case ("A", _): .up
        case ("B", _): .down
        case ("C", _): isWord ? .wordRight : .right
        case ("D", _): isWord ? .wordLeft : .left
        case ("H", _), ("~", "1"), ("~", "7"): .home
        case ("F", _), ("~", "4"), ("~", "8"): .end
        case ("~", "3"): .delete
        default: .unknown
        }
    }
}
