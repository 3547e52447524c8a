import Testing

@testable import TrellisCommands

@Suite struct PagesCommandTests {
    @Test func `the words that come with the program are printed, to make one's own of`() throws {
        let trellis = try TrellisProcess()
        let german = try trellis.run("pages", "words", "de")
        #expect(
            german.code == 0 && german.output.contains("\nprivacy: Datenschutz\n")
                && german.output.contains("\nlabel_email: E-Mail-Adresse\n"))
        let french = try trellis.run("pages", "words", "fr").output
        #expect(french.hasPrefix("# The English, to be translated into fr.") && french.contains("\nprivacy: Privacy\n"))
        let wrong = try trellis.run("pages", "words", "german")
        #expect(
            wrong.code == 64 && wrong.errors.contains("'german' is no language tag. Write one such as de or pt-BR."))
    }

    @Test func `what is printed is a file that check takes`() throws {
        let trellis = try TrellisProcess()
        try trellis.write("site: {name: Acme, language: fr}\nplugins: {lead_magnets: {}}\n", to: "config.yaml")
        #expect(
            try trellis.run("check").output.contains(
                "note: config.yaml: site.language: nobody has written words for 'fr'"))
        try trellis.write(try trellis.run("pages", "words", "fr").output, to: "words/fr.yaml")
        let sound = try trellis.run("check")
        #expect(sound.code == 0 && !sound.output.contains("note: words"), "\(sound.output)\(sound.errors)")
        try trellis.write("privcy: a\n", to: "words/fr.yaml")
        let wrong = try trellis.run("check")
        #expect(
            wrong.code == 78
                && wrong.errors.contains("words/fr.yaml:1:1: unknown key 'privcy'. Did you mean 'privacy'?"))
        try trellis.write("privacy: Confidentialité\n", to: "words/fr.yaml")
        let missing = try trellis.run("check").output
        #expect(
            missing.contains("keys are missing, and are said in English: button_asset, ")
                && !missing.contains(" privacy"))
    }

    @Test func `templates are printed by their names`() throws {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("pages", "template", "offer").output.hasPrefix("{{<layout}}\n"))
        #expect(try trellis.run("pages", "template", "form.mustache").output.hasPrefix("<form class=\"panel\""))
        #expect(try trellis.run("pages", "template", "style.css").output.contains("--trellis-accent"))
        let wrong = try trellis.run("pages", "template", "ofer")
        #expect(wrong.code == 64 && wrong.errors.contains("There is no template 'ofer'. Did you mean 'offer'?"))
    }

    @Test func `the list says which are the site's own`() throws {
        let trellis = try TrellisProcess()
        try trellis.write("site: {name: Acme}\n", to: "config.yaml")
        try trellis.write("own", to: "templates/offer.mustache")
        try trellis.write("privacy: x\n", to: "words/fr.yaml")
        let list = try trellis.run("pages", "--json").output
        for row in [
            #""name":"offer.mustache","comes_from":"templates/offer.mustache""#,
            #""name":"form.mustache","comes_from":"built in""#,
            #""name":"de","comes_from":"built in""#, #""name":"fr","comes_from":"words/fr.yaml""#,
        ] { #expect(list.contains(row), "\(row) in \(list)") }
    }
}
