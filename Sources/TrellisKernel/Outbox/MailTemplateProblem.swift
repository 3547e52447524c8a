import Foundation

/// What is wrong with a template, or with the values for one mail. It never shows a value.
public struct MailTemplateProblem: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Equatable, Sendable {
        case sourceTooLarge(bytes: Int)
        case controlCharacter
        case frontMatterMissing, frontMatterOpen
        case notKeyAndValue
        case unknownKey(String)
        case repeatedKey(String)
        case missingSubject
        case badPurpose(String)
        case badSender(String)
        case emptyBody
        case openPlaceholder
        case badPlaceholder(String)
        case badTarget(String)
        case targetTooLong
        /// A variable without fallback has no value, or an empty one.
        case missingValue(String)
        case outputTooLarge(bytes: Int)
    }

    public let template: String
    /// Counted from 1 in the template's file.
    public let line: Int
    public let kind: Kind

    /// `mails/welcome.md:3: there is no value for 'first_name'. …`
    public var description: String { "\(template):\(line): \(sentence)" }

    private var sentence: String {
        switch kind {
        case .sourceTooLarge(let bytes):
            "the file has \(bytes) bytes; a mail has at most \(MailTemplate.sourceBytesMax). "
                + "Is it the right file?"
        case .controlCharacter:
            "the line holds a control character. Delete it; it may have come with pasted text."
        case .frontMatterMissing:
            "expected '---' in the first line, then 'subject: …', then '---'. Put them before the text."
        case .frontMatterOpen:
            "the '---' here is never closed. Put a line '---' after the last key."
        case .notKeyAndValue:
            "expected 'key: value'. The keys are \(Self.knownKeys)."
        case .unknownKey(let key):
            "'\(key)' is not a key of a mail.\(NearMiss.hint(key, among: MailTemplate.FrontMatter.keys)) "
                + "The keys are \(Self.knownKeys)."
        case .repeatedKey(let key):
            "'\(key)' is given twice. Keep one."
        case .missingSubject:
            "the mail has no subject. Write one after 'subject:'."
        case .badPurpose(let purpose):
            "purpose: expected marketing or transactional, got '\(purpose)'."
                + NearMiss.hint(purpose, among: MailTemplate.Purpose.allCases.map(\.rawValue))
        case .badSender(let sender):
            "from: expected a sender like 'Acme Analytics <hello@acme.example>', got '\(sender)'."
        case .emptyBody:
            "the mail has no text. Write it below the second '---'."
        case .openPlaceholder:
            "'{{' is not closed by '}}' on the same line. "
                + "Close it, or write '\\{{' for the braces themselves."
        case .badPlaceholder(let text):
            "expected '{{name}}' or '{{name|fallback}}' with a name of a-z, 0-9, _ and ., got '{{\(text)}}'."
        case .badTarget(let target):
            "a link in a mail begins with https://, http:// or mailto:, got '\(target)'. "
                + "Write the whole address."
        case .targetTooLong:
            "a link's target is longer than \(MailTemplate.targetBytesMax) bytes. "
                + "Some mail programs cut it: shorten it."
        case .missingValue(let name):
            "there is no value for '\(name)'. Give it one, or write a fallback: {{\(name)|…}}."
        case .outputTooLarge(let bytes):
            "with its values the mail has \(bytes) bytes or more, "
                + "and at most \(MailTemplate.outputBytesMax) are sent. Look for a value that is too long."
        }
    }

    private static let knownKeys = MailTemplate.FrontMatter.keys.joined(separator: ", ")
}
