extension ConfigCheck {
    /// The words of the site: files that read, with keys and placeholders there are; and what they leave unsaid.
    func words() {
        let (problems, notes) = config.lexicon.findings()
        for found in problems { problem(found.message, at: found.place) }
        for found in notes { note(found.message, at: found.place) }
        let place = Place(file: config.file, path: "site.language")
        language(Located(config.site.site.language, at: place))
    }

    /// A language that pages are in: one without words is told of.
    public func language(_ language: LocatedText) {
        guard !config.lexicon.has(language.value) else { return }
        let file = "\(config.site.server.words)/\(language.value).yaml"
        note(
            "nobody has written words for '\(language.value)', so pages say theirs in English. Begin with: trellis pages words \(language.value) > \(file)",
            at: language.place)
    }
}
