/// Why a body cannot be read; ``status`` is the HTTP status that fits.
///
/// No sentence repeats the text of a field, which may be personal, and a name only where it is a plain word: a body
/// sent under the wrong content type is one long name.
public struct BodyProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// 400, 413, 414 or 415.
    public let status: Int
    /// What is wrong, and what to do about it, in English: for whoever writes the program that sent it.
    public let description: String
    /// The same for a visitor, in words of the kernel; nil where no person can bring it about.
    public let phrase: Phrase?

    public init(status: Int, description: String, phrase: Phrase? = nil) {
        self.status = status
        self.description = description
        self.phrase = phrase
    }

    public static func == (left: BodyProblem, right: BodyProblem) -> Bool {
        (left.status, left.description) == (right.status, right.description)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(status)
        hasher.combine(description)
    }
}

// MARK: - The whole body

extension BodyProblem {
    static let bodyTooLong = BodyProblem(
        status: 413, description: "The body holds more than \(FormBody.bytesMax) bytes. Shorten its texts.",
        phrase: Phrase("problem_too_large", ["size": String(FormBody.bytesMax / 1024)]))
    static let queryTooLong = BodyProblem(
        status: 414, description: "The query holds more than \(FormBody.bytesMax) bytes. Send it as a form.",
        phrase: Phrase("problem_address_too_long"))
    static let contentTypeMissing = BodyProblem(
        status: 415, description: "The body comes without a content type. Send \(FormBody.contentTypes).")
    static let contentTypeUnreadable = BodyProblem(
        status: 400, description: "The content type is not written as one. Send \(FormBody.contentTypes).")
    static let contentTypeUnknown = BodyProblem(
        status: 415, description: "A body of this content type is not read here. Send \(FormBody.contentTypes).")
    static let charsetForeign = BodyProblem(
        status: 415, description: "The content type names a charset other than UTF-8. Send the text in UTF-8.")
    static let fieldsTooMany = BodyProblem(
        status: 400, description: "There are more than \(FormBody.fieldsMax) fields. Send fewer.")
}

// MARK: - One field

extension BodyProblem {
    static let nameTooLong = BodyProblem(
        status: 400, description: "The name of a field holds more than \(FormBody.nameBytesMax) bytes. Shorten it.")
    static let nameNotText = BodyProblem(
        status: 400, description: "The name of a field is not UTF-8 text. Send it in UTF-8.")
    static let nameWithControl = BodyProblem(
        status: 400, description: "The name of a field holds a control character. Leave it out.")

    static func valueTooLong(_ name: String) -> BodyProblem {
        let most = FormBody.valueBytesMax
        return BodyProblem(
            status: 400, description: "\(field(name)) holds more than \(most) bytes. Shorten its text.",
            phrase: Phrase("problem_text_too_long"))
    }

    static func valueNotText(_ name: String) -> BodyProblem {
        BodyProblem(
            status: 400, description: "\(field(name)) is not UTF-8 text. Send it in UTF-8.",
            phrase: Phrase("problem_characters"))
    }

    static func valueWithControl(_ name: String) -> BodyProblem {
        BodyProblem(
            status: 400,
            description: "\(field(name)) holds a control character. Only tabs and line ends may stand in a text.",
            phrase: Phrase("problem_characters"))
    }

    static func valueWithPile(_ name: String) -> BodyProblem {
        let most = TextCleaning.marksMax
        return BodyProblem(
            status: 400,
            description: "\(field(name)) holds more than \(most) combining marks in a row. Leave them out.",
            phrase: Phrase("problem_characters"))
    }

    static func file(_ name: String) -> BodyProblem {
        BodyProblem(
            status: 415, description: "\(field(name)) is a file. Only texts are read here: leave it out.",
            phrase: Phrase("problem_file_sent"))
    }

    static func partNotText(_ name: String) -> BodyProblem {
        BodyProblem(
            status: 415, description: "\(field(name)) is not plain text in UTF-8. Send every part as text/plain.")
    }

    static func nameTwice(_ name: String) -> BodyProblem {
        BodyProblem(
            status: 400, description: "\(field(name)) is in the JSON object twice. Send its texts as one array.")
    }

    static func nested(_ name: String) -> BodyProblem {
        BodyProblem(
            status: 400,
            description: "\(field(name)) is neither a text, a number, a boolean, null nor an array of texts. "
                + "Send a flat object.")
    }

    /// The subject of a sentence about a field.
    private static func field(_ name: String) -> String {
        let isWord = name.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || $0.properties.numericType == .decimal || "_-.:[]".unicodeScalars.contains($0)
        }
        return isWord && !name.isEmpty ? "The field '\(name)'" : "A field"
    }
}

// MARK: - The form of the body

extension BodyProblem {
    static let boundaryUnusable = BodyProblem(
        status: 400,
        description: "The content type names no boundary of 1 to \(MultipartForm.boundaryBytesMax) allowed characters. "
            + "Let the browser or the library write this header.")
    static let boundaryMissing = BodyProblem(
        status: 400,
        description: "The body does not hold its boundary as a line of its own that ends in CR and LF. "
            + "Write it as RFC 7578 says.")
    static let multipartUnfinished = BodyProblem(
        status: 400, description: "The body ends before its closing boundary. Send it again as a whole.")
    static let partHeaderTooLong = BodyProblem(
        status: 400,
        description: "The header of a part holds more than \(MultipartForm.headerBytesMax) bytes. Shorten it.")
    static let partUnreadable = BodyProblem(
        status: 400,
        description: "The header of a part is not written as RFC 7578 says. "
            + "Write: Content-Disposition: form-data; name=\"email\"")

    /// - Parameter offset: counts bytes from 0.
    static func json(at offset: Int, expected: String) -> BodyProblem {
        BodyProblem(status: 400, description: "The JSON cannot be read at byte \(offset): expected \(expected).")
    }
}
