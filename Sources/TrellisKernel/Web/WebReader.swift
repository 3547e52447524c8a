/// Asks sites on the web for documents, for chores. The program brings one; the kernel has no HTTP of its own.
public struct WebReader: Sendable {
    public struct Answer: Sendable {
        /// https://www.rfc-editor.org/rfc/rfc9110#name-status-codes
        public let status: Int
        /// At most ``bytesMax``.
        public let body: [UInt8]

        public init(status: Int, body: [UInt8]) {
            self.status = status
            self.body = body
        }
    }

    /// A longer document is an error.
    public static let bytesMax = 1_048_576

    private let answer: @Sendable (_ url: String, _ headers: [String: String]) async throws -> Answer

    public init(_ answer: @escaping @Sendable (_ url: String, _ headers: [String: String]) async throws -> Answer) {
        self.answer = answer
    }

    /// Where a program brings none.
    public static let none = WebReader { _, _ in throw WebReaderProblem("this program asks nobody on the web") }

    /// A GET (RFC 9110, 9.3.1).
    ///
    /// - Throws: where nobody answers, or with too much.
    public func get(_ url: String, headers: [String: String] = [:]) async throws -> Answer {
        try await answer(url, headers)
    }
}

/// Why there is no answer, in words without what was asked: it may hold a secret.
public struct WebReaderProblem: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
