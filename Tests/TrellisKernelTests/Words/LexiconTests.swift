import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct LexiconTests {
    /// A site with these files of words, not checked.
    private func site(_ files: [String: String], _ yaml: String = "") throws -> TestKernel {
        try TestKernel(
            yaml, files: Dictionary(uniqueKeysWithValues: files.map { ("words/\($0)", $1) }), checks: false)
    }

    private func words(_ language: String, _ files: [String: String] = [:]) throws -> Words {
        let crm = try site(files)
        return withExtendedLifetime(crm) { crm.kernel.config.lexicon.words(for: language) }
    }

    private func problems(_ files: [String: String], _ yaml: String = "") throws -> [String] {
        let crm = try site(files, yaml)
        return withExtendedLifetime(crm) { crm.kernel.config.lexicon.findings().problems.map(\.description) }
    }

    private func notes(_ files: [String: String], _ yaml: String = "") throws -> [String] {
        let crm = try site(files, yaml)
        return try withExtendedLifetime(crm) { try crm.kernel.config.check(plugins: []).map(\.description) }
    }

    // MARK: - What is said

    @Test func `a sentence is filled in`() throws {
        let words = try words("en")
        #expect(words("problem_too_fast", ["seconds": "7"]) == "That was quick. Please wait 7 seconds and try again.")
        #expect(words(Phrase("field_required")) == "Please fill this in." && words("no_such_key") == "no_such_key")
        #expect(words.named("no_such_key") == nil && words.named("privacy") == "Privacy")
        #expect(try self.words("de")("privacy") == "Datenschutz")
    }

    @Test func `a file of the site stands before the program, key by key`() throws {
        let files = [
            "fr.yaml": "privacy: Vie privée\n", "fr-CA.yaml": "choose_link: Choisir\n", "en.yaml": "left_title: Gone\n",
        ]
        let canadian = try words("fr-CA", files)
        #expect(canadian.language == "fr-CA")
        #expect(canadian("choose_link") == "Choisir" && canadian("privacy") == "Vie privée")
        #expect(canadian("left_title") == "Gone" && canadian("field_required") == "Please fill this in.")
        let french = try words("fr", files)
        #expect(french("choose_link") == "Choose what you get" && french("privacy") == "Vie privée")
        let austrian = try words("de-AT", ["de-at.yaml": "field_required: Bitte ausfüllen, danke.\n"])
        #expect(austrian("field_required") == "Bitte ausfüllen, danke." && austrian("privacy") == "Datenschutz")
    }

    @Test func `templates read sentences with placeholders in pieces`() throws {
        let values = try words("fr", ["fr.yaml": "left_again: \"{link} : <b>\"\nunsubscribe_less: Non.\n"]).values
        #expect(values["left_again"] == .list([["is_link": true], ["text": " : <b>"]]))
        // The English has a place for the link; a sentence without it is one piece.
        #expect(values["unsubscribe_less"] == .list([["text": "Non."]]))
        #expect(values["privacy"] == "Privacy")
    }

    @Test func `the folder has the name that the config gives it`() throws {
        let crm = try TestKernel(
            "server: {words: house}", files: ["house/en.yaml": "privacy: Mine\n", "words/en.yaml": "privacy: Other\n"])
        #expect(crm.kernel.config.words("privacy") == "Mine")
    }

    // MARK: - What is wrong

    @Test func `an unknown key has its place and the one that was meant`() throws {
        #expect(
            try problems(["fr.yaml": "privacy: a\n\nfield_requird: b\nzebra: c\n"]) == [
                "words/fr.yaml:3:1: unknown key 'field_requird'. Did you mean 'field_required'?",
                "words/fr.yaml:4:1: unknown key 'zebra'. 'trellis pages words en' prints them all.",
            ])
    }

    @Test func `an unknown placeholder has its place and the one that was meant`() throws {
        #expect(
            try problems([
                "fr.yaml": "problem_too_fast: Attendez {second} s\nfield_one_of: \"{choices}\"\nprivacy: \"{link}\"\n"
            ]) == [
                "words/fr.yaml:1:19: unknown placeholder {second} in 'problem_too_fast'. Did you mean 'seconds'?",
                "words/fr.yaml:2:15: unknown placeholder {choices} in 'field_one_of'. There are: options.",
                "words/fr.yaml:3:10: unknown placeholder {link} in 'privacy'. It has none.",
            ])
    }

    @Test(arguments: [
        ("privacy: {a: b}", "words/fr.yaml:1:10: privacy: expected a text, got a mapping."),
        ("privacy:", "words/fr.yaml:1:9: privacy: the sentence is missing. Write \"\" to say nothing."),
        (
            "privacy: \"{{a}}\"",
            "words/fr.yaml:1:10: privacy: a brace that belongs to no placeholder. Placeholders are written {title}."
        ),
        (
            "privacy: \"a } b\"",
            "words/fr.yaml:1:10: privacy: a brace that belongs to no placeholder. Placeholders are written {title}."
        ),
        ("privacy: \"a\\x07b\"", "words/fr.yaml:1:10: privacy: contains a control character."),
        ("- privacy", "words/fr.yaml:1:1: expected a mapping of keys and sentences, got a list."),
        (
            "privacy: a\nprivacy: b",
            "words/fr.yaml:2:1: the key 'privacy' is written twice; the first is in line 1. Keep one."
        ),
    ])
    func `what is no sentence is told with its place`(_ text: String, _ problem: String) throws {
        #expect(try problems(["fr.yaml": text]) == [problem])
        // Whoever reads it all the same gets the English.
        #expect(try ["Privacy", "b", "a"].contains(words("fr", ["fr.yaml": text])("privacy")))
    }

    @Test func `a file is called after a language`() throws {
        let sentence = "the name of the file is no language. Call it after one, such as fr.yaml or pt-BR.yaml."
        #expect(
            try problems(["french.yaml": "a: b", "fr.yml": "a: b", "notes.txt": "a: b", ".hidden.yaml": "a: b"])
                == ["words/fr.yml: \(sentence)", "words/french.yaml: \(sentence)"])
        #expect(
            try problems(["de-AT.yaml": "", "de-at.yaml": ""]) == [
                "words/de-at.yaml: de-AT.yaml is of the same language. Keep one."
            ])
    }

    @Test func `the config is refused with them`() throws {
        let crm = try site(["fr.yaml": "privcy: a\n"])
        let problems = try #require(throws: ConfigProblems.self) { try crm.kernel.config.check(plugins: []) }
        #expect(problems.description == "words/fr.yaml:1:1: unknown key 'privcy'. Did you mean 'privacy'?")
    }

    @Test func `columns of the site and their values have names in a language`() throws {
        let yaml = "leads: {fields: {budget: real, size: {one_of: [small, very large]}}}"
        let file = "label_budget: Budget\n\"option_size_very large\": Très grande\noption_size_smal: x\n"
        #expect(
            try problems(["fr.yaml": file], yaml) == [
                "words/fr.yaml:3:1: unknown key 'option_size_smal'. Did you mean 'option_size_small'?"
            ])
        let crm = try site(["fr.yaml": file], yaml)
        let words = crm.kernel.config.lexicon.words(for: "fr")
        #expect(words.named("label_budget") == "Budget" && words.named("option_size_very large") == "Très grande")
        #expect(words.named("option_size_small") == nil)
    }

    // MARK: - What is missing

    @Test func `the keys that a language leaves unsaid are named`() throws {
        let english = try words("en").sentences.keys
        let said = english.filter { $0 != "privacy" && $0 != "field_day" }.sorted().map { "\($0): \"x\"\n" }.joined()
        #expect(
            try notes(["fr.yaml": said]) == [
                "words/fr.yaml: 2 of \(english.count) keys are missing, and are said in English: field_day, privacy."
            ])
        #expect(try notes(["de.yaml": "privacy: Daten\n", "de-AT.yaml": "", "en.yaml": ""]) == [])
    }

    @Test func `a language of the config without words is told of`() throws {
        let crm = try TestKernel(site: "site: {name: Acme, language: fr}")
        #expect(
            try crm.kernel.config.check(plugins: []).map(\.description) == [
                "config.yaml: site.language: nobody has written words for 'fr', so pages say theirs in English. Begin with: trellis pages words fr > words/fr.yaml"
            ])
        let austrian = try TestKernel(site: "site: {language: de-AT}")
        #expect(try austrian.kernel.config.check(plugins: []).isEmpty)
    }

    // MARK: - What comes with the program

    @Test func `German says all that English does, of the same things`() throws {
        for (language, text) in EmbeddedWords.files {
            let file = WordsFile(text, file: language)
            #expect(file.problems.isEmpty)
            let english = WordsFile(try #require(EmbeddedWords.files["en"]), file: "en")
            #expect(Set(file.sentences.keys) == Set(english.sentences.keys))
            for (key, sentence) in english.sentences {
                #expect(file.sentences[key]?.placeholders == sentence.placeholders, "\(language): \(key)")
            }
        }
        #expect(EmbeddedWords.files.keys.sorted() == ["de", "en"])
    }

    @Test func `what a visitor reads of an address is what the house reads`() throws {
        let all: [EmailAddressProblem] = [
            .empty, .noAtSign, .severalAtSigns(count: 3), .lookalikeAtSign, .noLocalPart, .noDomain,
            .addressTooLong(octets: 400),
            .localPartTooLong(octets: 70), .domainTooLong(octets: 300), .whiteSpace,
            .forbiddenCharacter(codePoint: 0x2C),
            .misplacedDot, .localPartStartsWithHyphen, .quotedLocalPart, .comment, .addressLiteral, .domainHasOneLabel,
            .topLabelIsNumber, .labelEmpty(position: 2), .labelTooLong(octets: 70, position: 1),
            .labelHyphen(position: 1),
            .labelNotInternational(position: 1),
        ]
        let (english, german) = (try words("en"), try words("de"))
        for problem in all {
            let sentence = "\(problem)"
            #expect(english(problem.phrase) == sentence.prefix(1).uppercased() + sentence.dropFirst() + ".")
            #expect(german(problem.phrase) != english(problem.phrase) && !german(problem.phrase).contains("{"))
        }
    }
}
