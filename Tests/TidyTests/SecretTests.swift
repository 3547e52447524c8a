import Testing

/// Secrets are compared by `Signature.isSame` or by the library that made them, never by `==`: how long `==` takes
/// tells how much of a guess was right (CWE-208).
struct SecretTests {
    /// What a secret, or what is made of one, is called here.
    private static let names: Set<String> = [
        "secret", "token", "signature", "hmac", "mac", "password", "passphrase", "verifytoken", "apikey",
    ]
    /// Members called `key` are a secret of these alone; elsewhere they are names.
    private static let keyed = ["form", "admin", "signer"]

    /// Where both sides came from whoever asks: a token is written in one way only.
    private static let isPublic = ["Sources/TrellisKernel/Web/LinkSigner.swift": "base64(data) == token"]

    /// The comparisons in a line of code with a secret on one side; whether there is one at all may be asked.
    static func comparisons(in line: Substring) -> [Substring] {
        line.matches(of: #/([\w.?!\[\]()$ ]*?)\s*(?:==|!=)\s*([\w.?!$]+)/#).filter { match in
            // What begins with a dot is a case, such as that of an operation.
            let isOpen = ["nil", "true", "false"].contains(match.2) || match.2.allSatisfy(\.isNumber)
            guard !isOpen, !match.2.hasPrefix(".") else { return false }
            return isSecret(match.1) || isSecret(match.2)
        }.map(\.0)
    }

    private static func isSecret(_ operand: Substring) -> Bool {
        let words = operand.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map { $0.lowercased() }
        guard let last = words.last else { return false }
        if names.contains(last) || names.contains(where: { last.hasSuffix($0) && $0.count > 3 }) { return true }
        return last == "key" && words.dropLast().contains { keyed.contains($0) }
    }

    @Test func `no secret is compared by ==`() throws {
        var untidy = Untidy()
        for source in try Repository.swift("Sources", "Plugins") {
            for (index, line) in source.code.enumerated() where line.contains("==") || line.contains("!=") {
                for comparison in SecretTests.comparisons(in: line)
                where SecretTests.isPublic[source.path].map({ comparison.contains($0) }) != true {
                    untidy.add(source.path, index + 1, "\(comparison): use Signature.isSame")
                }
            }
        }
        #expect(untidy.isEmpty, "\(untidy)")
    }

    @Test(arguments: [
        "if said == form.key {", "guard header == signature else", "return token != expected",
        "settings.verifyToken == said", "let ok = request.fields[x] == config.site.secret", "a && (b == admin.token)",
        "hash(x) == self.mac", "form.value.key != typed",
    ])
    func `a comparison of a secret is found`(_ line: String) {
        #expect(!SecretTests.comparisons(in: line[...]).isEmpty)
    }

    @Test(arguments: [
        "if token == nil {", "guard site.secret != nil else", "token.leadID != nil", "entries.first { $0.key == key }",
        "said.count == token.count", "let tokens = 1", "kind == .token(x)", "token.madeAt == other.madeAt",
    ])
    func `what tells nothing of a secret is left alone`(_ line: String) {
        #expect(SecretTests.comparisons(in: line[...]).isEmpty)
    }
}
