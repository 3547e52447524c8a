extension String {
    /// The number of terminal cells the text takes: 2 for a wide character or an emoji, 0 for a combining
    /// mark or a control character, 1 for any other.
    ///
    /// Wide follows the classes W and F of Unicode Standard Annex 11. Terminals differ on rare scripts; a
    /// column may then be off by a cell, and nothing worse.
    var displayWidth: Int {
        if isPrintableASCII { return utf8.count }
        return reduce(0) { $0 + $1.displayWidth }
    }

    /// The text cut to at most `width` cells, the last of them "…" where something was cut.
    func shortened(to width: Int) -> String {
        if displayWidth <= width { return self }
        if width < 1 { return "" }
        var used = 0
        var kept = ""
        for character in self {
            let next = character.displayWidth
            if used + next > width - 1 { break }
            used += next
            kept.append(character)
        }
        return kept + "…"
    }

    /// The text on one line and harmless to a terminal.
    ///
    /// ASCII control characters become their pictures (a newline "␊", an escape "␛"). Later controls, line
    /// separators and the marks that turn the writing direction become `\u{202E}`, so that what is read is
    /// what is stored.
    var withVisibleControls: String {
        if isPrintableASCII { return self }
        var visible = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x00...0x1F: visible.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
            case 0x7F: visible.append("\u{2421}")
            case 0x80...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                visible.append(contentsOf: "\\u{\(digits)}".unicodeScalars)
            default: visible.append(scalar)
            }
        }
        return String(visible)
    }

    /// The common case, settled by looking at bytes: every character takes exactly one cell.
    private var isPrintableASCII: Bool {
        utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}

extension Character {
    /// The number of terminal cells the character takes, 0 to 2 in all but a few scripts.
    fileprivate var displayWidth: Int {
        if isEmoji { return 2 }
        return unicodeScalars.reduce(0) { $0 + $1.displayWidth }
    }

    /// Whether the character is drawn as a picture: by default, or because variation selector 16 asks for it.
    private var isEmoji: Bool {
        guard let first = unicodeScalars.first else { return false }
        if first.properties.isEmojiPresentation { return true }
        return first.properties.isEmoji && unicodeScalars.contains("\u{FE0F}")
    }
}

extension Unicode.Scalar {
    /// The cells of one scalar on its own; see `String.displayWidth`.
    fileprivate var displayWidth: Int {
        switch value {
        case 0x20...0x7E: return 1
        // The vowels and finals of Hangul are drawn inside the cell pair of the leading consonant.
        case 0x1160...0x11FF, 0xD7B0...0xD7FF: return 0
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3: break
        case 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6: break
        case 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F265, 0x20000...0x3FFFD: break
        default: return isZeroWidth ? 0 : 1
        }
        return isZeroWidth ? 0 : 2
    }

    private var isZeroWidth: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .control: true
        // A soft hyphen is a format character, yet terminals draw it.
        case .format: value != 0xAD
        default: false
        }
    }
}
