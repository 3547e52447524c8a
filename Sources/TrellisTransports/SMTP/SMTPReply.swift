import Foundation
import TrellisKernel

/// What a relay answered: a code, often a finer status, and text for people (RFC 5321, 4.2; RFC 3463).
public struct SMTPReply: Sendable, Hashable {
    /// Three digits; the first is the class: 2 done, 3 go on, 4 not now, 5 never.
    public let code: Int
    /// The text of each line, without its code.
    public let lines: [String]

    public init(code: Int, lines: [String]) {
        self.code = code
        self.lines = lines
    }

    /// 2, 3, 4 or 5.
    public var kind: Int { code / 100 }

    /// The enhanced status code such as `5.1.1`, where the first line begins with one that fits the code (RFC 2034).
    public var status: String? {
        guard let word = lines.first?.split(separator: " ", maxSplits: 1).first else { return nil }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        let isNumeric = parts.allSatisfy {
            (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { (48...57).contains($0) }
        }
        guard parts.count == 3, isNumeric, parts[0] == String(kind) else { return nil }
        return String(word)
    }

    /// The text in one line and lower case, without the enhanced status: what wordings are looked for in.
    var wording: String {
        let text = lines.joined(separator: " ").lowercased()
        return status.map { String(text.dropFirst($0.count)) } ?? text
    }

    /// The longest text of a relay that is kept, in characters.
    static let textMax = 300

    /// The reply for a person to read: one line without control characters, and with every address masked.
    ///
    /// - Parameter recipient: whose local part is masked too where the relay names it alone.
    func shown(hiding recipient: String = "") -> String {
        let words = ([String(code)] + lines).joined(separator: " ")
        let text = String(words.unicodeScalars.prefix(2000).map { isVisible($0) ? Character($0) : " " })
        let local = recipient.split(separator: "@").first.map { $0.lowercased() } ?? ""
        let masked = text.split(separator: " ").map { SMTPReply.masked($0, local: local) }.joined(separator: " ")
        return masked.count > SMTPReply.textMax ? masked.prefix(SMTPReply.textMax - 1) + "…" : masked
    }

    /// A word with the addresses in it masked; the brackets and stops around them stay.
    private static func masked(_ word: Substring, local: String) -> String {
        var output = ""
        var run = ""
        func finish() {
            let bare = run.trimmingCharacters(in: CharacterSet(charactersIn: "."))
            if run.contains("@") {
                output += MaskedAddress.of(run)
            } else {
                output += bare.lowercased() == local && !local.isEmpty ? run.replacing(bare, with: "•••") : run
            }
            run = ""
        }
        for character in word {
            if "<>()[]{}\"',;:".contains(character) {
                finish()
                output.append(character)
            } else {
                run.append(character)
            }
        }
        finish()
        return output
    }

    private func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }
}
