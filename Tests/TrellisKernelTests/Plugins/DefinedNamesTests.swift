import Testing
import TrellisTesting

@testable import TrellisKernel

/// Defines songs.
private struct Choir: Plugin {
    static let name = "choir"
    static let summary = "Sings."
    static let definedNames = [DefinedNames<Settings>("song", under: "songs") { $0.songs.map(\.value) }]
    init(settings: Settings) {}
    var hooks: [any Hook] { [] }

    struct Settings: SettingsRecord {
        var songs: [LocatedText] = []
        static var fields: [SettingsField<Self>] {
            SettingsField("songs", \.songs, .list(of: .locatedText), "What it sings.")
        }
    }
}

/// Asks for a song of whoever has it.
private struct Guest: Plugin {
    static let name = "guest"
    static let summary = "Asks for a song."
    let settings: Settings
    init(settings: Settings) { self.settings = settings }
    var hooks: [any Hook] { [] }
    func check(_ check: ConfigCheck) {
        if let wish = settings.wish { check.name(wish, of: "song") }
    }

    struct Settings: SettingsRecord {
        var wish: LocatedText?
        static var fields: [SettingsField<Self>] {
            SettingsField("wish", \.wish, optional: .locatedText, "The song.")
        }
    }
}

@Suite struct DefinedNamesTests {
    private func problems(
        _ yaml: String, plugins: [any Plugin.Type] = [Choir.self, Guest.self]
    ) throws -> [String] {
        do {
            try Config.parse(yaml, plugins: plugins).check(plugins: plugins)
            return []
        } catch let problems as ConfigProblems {
            return problems.problems.map(\.description)
        }
    }

    @Test func `a name that another section defines is sound, also where that one is switched off or stands below`()
        throws
    {
        #expect(try problems("plugins:\n  choir: {songs: [ode, hymn]}\n  guest: {wish: hymn}") == [])
        #expect(try problems("plugins:\n  guest: {wish: ode}\n  choir: {enabled: false, songs: [ode]}") == [])
        #expect(try problems("plugins:\n  choir: {songs: [ode]}\n  guest: {}") == [])
    }

    @Test func `one that nobody defines is refused with its place and the one that was meant`() throws {
        #expect(
            try problems("plugins:\n  choir: {songs: [ode, hymn]}\n  guest: {wish: hymm}") == [
                "config.yaml:3:17: plugins.guest.wish: there is no song 'hymm'. Did you mean 'hymn'? There are: ode, hymn."
            ])
        for choir in ["", "\n  choir: {}"] {
            #expect(
                try problems("plugins:\n  guest: {wish: ode}" + choir) == [
                    "config.yaml:2:17: plugins.guest.wish: there is no song 'ode'. Define it under plugins.choir.songs."
                ])
        }
    }

    @Test func `where no plugin of the program defines such names, it may be anything`() throws {
        #expect(try problems("plugins: {guest: {wish: ode}}", plugins: [Guest.self]) == [])
    }
}
