import Foundation

/// The name of a language: `de`, `pt-BR`, `zh-Hant-TW` (BCP 47, https://www.rfc-editor.org/rfc/rfc5646).
public enum LanguageTag {
    /// A tag with its parts in their usual case: `de-at` is `de-AT` (RFC 5646, 2.1.1). Nil for what is not well-formed
    /// (2.1), or begins with no language of two or three letters.
    public static func canonical(_ text: String) -> String? {
        guard text.utf8.count <= octetsMax else { return nil }
        var rest = text.split(separator: "-", omittingEmptySubsequences: false).map { $0.lowercased() }[...]
        guard rest.allSatisfy(isPart), let language = rest.popFirst(), (2...3).contains(language.count),
            isLetters(language)
        else { return nil }
        var parts = [language]
        func take(_ most: Int, _ isOne: (String) -> Bool, as write: (String) -> String = { $0 }) {
            var count = 0
            while count < most, let part = rest.first, isOne(part) {
                parts.append(write(part))
                rest.removeFirst()
                count += 1
            }
        }
        take(3) { $0.count == 3 && isLetters($0) }
        take(1, { $0.count == 4 && isLetters($0) }, as: { $0.prefix(1).uppercased() + $0.dropFirst() })
        take(1, { ($0.count == 2 && isLetters($0)) || ($0.count == 3 && isDigits($0)) }, as: { $0.uppercased() })
        take(.max) { $0.count >= 5 || ($0.count == 4 && isDigits(String($0.prefix(1)))) }
        // Extensions: a letter or digit that says which, and what follows it. After an x comes what is private.
        while let singleton = rest.first, singleton.count == 1 {
            rest.removeFirst()
            let before = parts.count + 1
            parts.append(singleton)
            take(.max) { singleton == "x" || $0.count > 1 }
            guard parts.count > before else { return nil }
        }
        return rest.isEmpty ? parts.joined(separator: "-") : nil
    }

    /// More than any registered tag has.
    private static let octetsMax = 60

    /// The tag, and what it is a kind of: `de-CH-1996`, `de-CH`, `de` (RFC 4647, 3.4).
    static func chain(_ tag: String) -> [String] {
        var parts = tag.split(separator: "-")
        var chain: [String] = []
        while !parts.isEmpty {
            chain.append(parts.joined(separator: "-"))
            parts.removeLast()
            if parts.count > 1, parts.last?.count == 1 { parts.removeLast() }
        }
        return chain
    }

    /// Whether it is written from right to left.
    public static func isRightToLeft(_ tag: String) -> Bool {
        Locale.Language(identifier: tag).characterDirection == .rightToLeft
    }

    private static func isPart(_ text: String) -> Bool {
        (1...8).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
    }

    private static func isLetters(_ text: String) -> Bool { text.utf8.allSatisfy { (97...122).contains($0) } }
    private static func isDigits(_ text: String) -> Bool { text.utf8.allSatisfy { (48...57).contains($0) } }
}

extension SettingType where Value == String {
    /// The name of a language, in its usual case.
    public static var language: SettingType {
        SettingType(
            scalar: "a language tag such as en, de or pt-BR", schema: .object([("type", .string("string"))])
        ) { LanguageTag.canonical($0) }
    }
}
