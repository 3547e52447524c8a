import Foundation

/// What is wrong with a template, or with the values for one mail. It never shows a value.
public struct MailTemplateProblem: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Equatable, Sendable {
        case sourceTooLarge(bytes: Int)
        case controlCharacter
        case notUTF8
        case frontMatterMissing, frontMatterOpen
        case notKeyAndValue
        case unknownKey(String)
        case repeatedKey(String)
        case missingSubject
        case badPurpose(String)
        case badSender(String)
        case badReplyTo(String)
        case variableInSender(key: String, String)
        case badWithin(String)
        case badList(String)
        case listOfTransactional
        case emptyBody
        case openPlaceholder
        case badPlaceholder(String)
        case badTarget(String)
        case targetTooLong
        /// What pages alone hold, or do not.
        case badPicture(String)
        case table
        case emptyPage
        /// A variable without fallback has no value, or an empty one.
        case missingValue(String)
        case outputTooLarge(bytes: Int)
        /// What a mail in HTML must not hold, or not there.
        case wholePage, tooDeep
        case activeContent(String)
        case openElement(String)
        case strayEnd(String)
        case unquotedValue(String)
        case misplacedValue(String)
        /// What a layout lacks, or does not know.
        case badSlot(String)
        case repeatedSlot(String)
        case slotMissing(String)
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
        case .notUTF8:
            "the line holds a byte that is no UTF-8. Save the file as UTF-8."
        case .frontMatterMissing:
            "expected '---' in the first line, then 'subject: …', then '---'. Put them before the text."
        case .frontMatterOpen:
            "the '---' here is never closed. Put a line '---' after the last key."
        case .notKeyAndValue:
            "expected 'key: value'. The keys are \(Self.knownKeys)."
        case .unknownKey(let key):
            "'\(key)' is not a key of a mail.\(Self.isHeader(key) ? " Trellis writes this header itself." : "")"
                + NearMiss.hint(key, among: MailTemplate.FrontMatter.keys) + " The keys are \(Self.knownKeys)."
        case .repeatedKey(let key):
            "'\(key)' is given twice. Keep one."
        case .missingSubject:
            "the mail has no subject. Write one after 'subject:'."
        case .badPurpose(let purpose):
            "purpose: expected marketing or transactional, got '\(purpose)'."
                + NearMiss.hint(purpose, among: MailTemplate.Purpose.allCases.map(\.rawValue))
        case .badSender(let sender):
            "from: expected a sender like 'Acme Analytics <hello@acme.example>', or owner, got '\(sender)'."
        case .badReplyTo(let address):
            "reply_to: expected an address like 'Acme <hello@acme.example>', or owner, got '\(address)'."
        case .variableInSender(let key, let sender):
            "\(key): a sender holds no variables, got '\(sender)'. Write an address, or owner for the rep who has the lead."
        case .badWithin(let text):
            "within: expected a duration such as 4 hours or 2 days, got '\(text)'."
        case .badList(let text):
            "list: expected a purpose of consent such as product-news, of letters, digits, - and _, got '\(text)'."
        case .listOfTransactional:
            "list: a transactional mail is of no list, since nobody is asked for consent to it. Take out one of the two keys."
        case .emptyBody:
            "the mail has no text. Write it below the second '---'."
        case .openPlaceholder:
            "'{{' is not closed by '}}' on the same line. "
                + "Close it, or write '\\{{' for the braces themselves."
        case .badPlaceholder(let text):
            "expected '{{name}}' or '{{name|fallback}}' with a name of a-z, 0-9, _ and ., got '{{\(text)}}'."
                + (text.utf8.first.map { "#^/>&!{".utf8.contains($0) } == true
                    ? " There are no sections, partials or unescaped values: write a fallback, or a variant of the mail."
                    : "")
        case .badTarget(let target):
            "a link begins with https://, http:// or mailto:, got '\(target)'. "
                + "Write the whole address."
        case .targetTooLong:
            "a link's target is longer than \(MailTemplate.targetBytesMax) bytes. "
                + "Some mail programs cut it: shorten it."
        case .badPicture(let source):
            "a picture comes from an address that begins with https://, or with / for one of this site, got '\(source)'. "
                + "Write the whole address."
        case .table:
            "a page has no tables: this would be shown as rows of signs. Write a list."
        case .emptyPage:
            "the page has no text. Write it into this file."
        case .missingValue(let name):
            "there is no value for '\(name)'. Give it one, or write a fallback: {{\(name)|…}}."
        case .outputTooLarge(let bytes):
            "with its values the mail has \(bytes) bytes or more, "
                + "and at most \(MailTemplate.outputBytesMax) are sent. Look for a value that is too long."
        default: markupSentence
        }
    }

    private var markupSentence: String {
        switch kind {
        case .wholePage:
            "a mail is what stands within <body>. Put the page around it into layout.html beside the mails."
        case .tooDeep:
            "elements nest deeper than \(MailMarkup.depthMax). Some mail programs give up before: take tables out."
        case .activeContent(let name):
            "'\(name)' is dropped or warned of by mail programs. Link to a page instead."
        case .openElement(let name):
            "<\(name)> is not closed, or what stands within is not. Close it, or the footer falls into it."
        case .strayEnd(let name):
            "</\(name)> closes nothing. Delete it."
        case .unquotedValue(let name):
            "the value of \(name) stands without quotation marks. Write \(name)=\"…\"."
        case .misplacedValue(let place):
            "a variable cannot stand in \(place). Write it into the text, or into the address of a link."
        case .badSlot(let slot):
            "a layout has no slot '\(slot)'.\(NearMiss.hint(slot, among: MailLayout.markupSlots + MailLayout.textSlots)) "
                + "There are \(Self.slots)."
        case .repeatedSlot(let slot):
            "the slot '\(slot)' stands here a second time. Keep one."
        case .slotMissing(let slot):
            "the layout has no {{{\(slot)}}}. Put it where the \(slot) of each mail shall stand."
        default: ""
        }
    }

    /// Headers that decide about delivery and about leaving: no mail sets them.
    private static func isHeader(_ key: String) -> Bool {
        let key = key.lowercased()
        return key.hasPrefix("list-") || key.hasPrefix("list_") || key.hasPrefix("dkim")
            || [
                "to", "cc", "bcc", "sender", "return-path", "message-id", "feedback-id", "auto-submitted", "precedence",
                "date", "headers",
            ].contains(key)
    }

    private static let slots =
        (MailLayout.markupSlots.map { "{{{\($0)}}}" } + MailLayout.textSlots.map { "{{\($0)}}" }).joined(
            separator: ", ")

    private static let knownKeys = MailTemplate.FrontMatter.keys.joined(separator: ", ")
}
