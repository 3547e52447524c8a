import TrellisKernel

/// What the platforms publish to check a spelling and a hash by: shipped with the program, so that whoever is in doubt
/// about a file can run `trellis audiences verify`.
struct TestVector: Sendable {
    enum Value: Sendable {
        case email(String), phone(String, country: String?), firstName(String), lastName(String), handle(String)
    }

    let platform: String
    let value: Value
    /// As it is to be hashed; nil for what must be refused.
    let normalised: String?
    /// SHA-256; nil where the platform prints the spelling alone.
    let hash: String?
    /// Whose it is.
    let source: String

    static let all =
        [
            TestVector(
                "google", .email("  ALEXZ@example.com "), "alexz@example.com",
                "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a", "data-manager tests"),
            TestVector(
                "google", .phone("1-800-555-0100", country: "US"), "+18005550100",
                "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30", "data-manager tests"),
            TestVector(
                "google", .phone("(800)555-0100", country: "US"), "+18005550100",
                "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30", "formatting guide"),
            TestVector(
                "google", .firstName(" GivenName "), "givenname",
                "128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814", "data-manager tests"),
            TestVector(
                "google", .lastName("FamilyName"), "familyname",
                "77762c287e61ce065bee5c15464012c6fbe088398b8057627d5577249430d574", "data-manager tests"),
            TestVector(
                "google", .email("Jefferson.Loves.hiking@gmail.com"), "jeffersonloveshiking@gmail.com", nil,
                "data-manager tests"),
            TestVector(
                "google", .email("Cloudy.SanFrancisco+shopping@gmail.com"), "cloudysanfrancisco@gmail.com",
                "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4", "formatting guide"),
            TestVector(
                "google", .email("user.name+NYC@Example.com"), "user.name+nyc@example.com",
                "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac", "formatting guide"),
            TestVector(
                "google", .phone("(650)555-1212", country: "US"), "+16505551212",
                "1e231c66011e7a2d867a9cfae267a6aff103cf4913640b6e71a99850fc0ffbc8", "formatting guide"),
            TestVector(
                "meta", .email("John_Smith@gmail.com"), "john_smith@gmail.com",
                "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f", "Conversions API page"),
            TestVector(
                "meta", .phone("(650)555-1212", country: "US"), "16505551212",
                "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176", "Conversions API page"),
            TestVector(
                "tiktok", .email("janedoe@gmail.com"), "janedoe@gmail.com",
                "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69", "supported IDs and formats"),
            TestVector(
                "tiktok", .phone("+37493828222", country: nil), "37493828222",
                "65b7e6dcf6f4310f8d7cbfbd78289a753062fb054d6664fb9aaac5df66a422d4", "supported IDs and formats"),
            TestVector(
                "x", .handle("adsapi"), "adsapi",
                "49e0be2aeccfb51a8dee4c945c8a70a9ac500cf6f5cb08112575f74db9b1470d", "X Ads API"),
        ]
        + [" @googlemail.com", " ...@gmail.com", "quinn", " "].map {
            TestVector("google", .email($0), nil, nil, "data-manager tests")
        }

    init(_ platform: String, _ value: Value, _ normalised: String?, _ hash: String?, _ source: String) {
        self.platform = platform
        self.value = value
        self.normalised = normalised
        self.hash = hash
        self.source = source
    }

    /// What was typed.
    var input: String {
        switch value {
        case .email(let text), .phone(let text, _), .firstName(let text), .lastName(let text), .handle(let text): text
        }
    }

    /// What this program makes of it.
    var found: String? {
        guard let platform = Platform.named(platform) else { return nil }
        switch value {
        case .email(let text): return platform.email.normalised(text)
        case .phone(let text, let country): return platform.phone.normalised(text, country: country)
        case .firstName(let text), .lastName(let text): return TextRule.untitledName.normalised(text)
        case .handle(let text): return text.lowercased()
        }
    }

    /// Whether the program agrees with the platform.
    var holds: Bool {
        guard found == normalised else { return false }
        guard let hash else { return true }
        return found.map { Digest.hex($0) } == hash
    }
}
