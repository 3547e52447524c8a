extension Kernel {
    /// The mails that plugins bring, by name, in the words of a language.
    static func builtInMails(of types: [any Plugin.Type], _ config: Config) -> @Sendable (String) -> [String: String] {
        { language in
            types.reduce(into: [:]) { mails, type in
                let words = config.lexicon.including(type).words(for: language)
                mails.merge(type.mails(in: words)) { first, _ in first }
            }
        }
    }
}
