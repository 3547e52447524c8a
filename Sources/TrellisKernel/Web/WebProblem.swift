import Foundation

/// Why a request is not answered as asked: a page, or JSON for a program. The sentence is shown, so that it holds
/// nothing of the inside.
public struct WebProblem: Error, Sendable, CustomStringConvertible {
    public let status: Int
    /// In English, where it is a ``phrase``.
    public let description: String
    public let headers: [(name: String, value: String)]
    /// What a page says in large letters, or the key of it where there is a ``phrase``; nil for what its status usually
    /// means.
    public let heading: String?
    /// The sentence in no language yet: whoever answers says it in that of the page. Nil where it is said as it is.
    public let phrase: Phrase?
    /// The language of the page; nil for that of the site.
    public private(set) var language: String?

    public init(
        _ status: Int, _ description: String, heading: String? = nil, headers: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.description = description
        self.headers = headers
        self.heading = heading
        phrase = nil
    }

    /// What visitors may come upon, in words of the kernel.
    ///
    /// - Parameter heading: a key.
    public init(
        _ status: Int, _ phrase: Phrase, heading: String? = nil, headers: [(name: String, value: String)] = []
    ) {
        self.status = status
        description = Lexicon.english(phrase)
        self.headers = headers
        self.heading = heading
        self.phrase = phrase
    }

    /// A body that cannot be read: programs of the house are told exactly what is wrong with it, visitors in words.
    public init(_ problem: BodyProblem) {
        status = problem.status
        description = problem.description
        headers = []
        heading = nil
        phrase = problem.phrase
    }

    /// The same on a page in another language than that of the site.
    public func speaking(_ language: String) -> WebProblem {
        var problem = self
        problem.language = language
        return problem
    }

    /// The sentence and its heading in the words of a page.
    public func said(in words: Words) -> (heading: String, text: String) {
        let heading = heading.map { phrase == nil ? $0 : words($0) }
        return (
            heading ?? words.named("problem_heading_\(status)") ?? words("problem_heading"),
            phrase.map { words($0) } ?? description
        )
    }

    /// One answer for what never was, is no more, and was tampered with: nobody learns which.
    public static let notFound = WebProblem(404, Phrase("problem_not_found"))
    public static let expired = WebProblem(410, Phrase("problem_expired"))
}

extension Kernel {
    /// The subject of a token in a link of this site.
    ///
    /// - Parameter language: the language of what a subject is about, in which a link that is too old says so; nil for
    ///   that of the site.
    /// - Throws: ``WebProblem/notFound`` or ``WebProblem/expired``.
    public func open(
        _ token: String, purpose: String, speaking language: (String) throws -> String? = { _ in nil }
    ) throws -> String {
        switch try signer.open(token, purpose: purpose, now: clock.now()) {
        case .subject(let subject): return subject
        case .expired:
            // What it was about can still be read; it only opens nothing.
            guard case .subject(let subject) = try signer.open(token, purpose: purpose, now: .distantPast),
                let language = try language(subject)
            else { throw WebProblem.expired }
            throw WebProblem.expired.speaking(language)
        case .unknown: throw WebProblem.notFound
        }
    }
}
