import TrellisKernel

/// What pages, forms and mails of magnets say.
enum MagnetWords {
    /// What stands in where no config says which language.
    static var english: Words { of(nil, Lexicon.fallback) }

    /// - Parameter config: one that was read without this plugin has no words of it; they come from the program then.
    static func of(_ config: Config?, _ language: String? = nil) -> Words {
        let lexicon = (config?.lexicon ?? Lexicon.program).including(LeadMagnets.self)
        return lexicon.words(for: language ?? config?.site.site.language ?? Lexicon.fallback)
    }
}
