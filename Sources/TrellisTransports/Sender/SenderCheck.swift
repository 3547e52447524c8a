import TrellisKernel

/// Holds the name servers against what the config sends: what large mailbox providers ask of whoever writes to many,
/// SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489) that fit together, and an unsubscribe link that works with one
/// click (RFC 8058), as https://support.google.com/a/answer/81126 has it.
public struct SenderCheck: Sendable {
    /// One thing that was looked at.
    public struct Finding: Sendable, Hashable {
        public enum State: String, Sendable { case ok, weak, missing, wrong, unknown }
        /// `spf`, `dkim`, `dmarc` …
        public let name: String
        /// The name in the DNS, or the key of the config, that it is about.
        public let subject: String
        public let state: State
        /// What stands there, and what to do.
        public let detail: String

        init(_ name: String, _ subject: String, _ state: State, _ detail: String) {
            self.name = name
            self.subject = subject
            self.state = state
            self.detail = detail
        }
    }

    /// How names are looked up.
    public struct NameServers: Sendable {
        let takesMail: @Sendable (String) async -> Bool?
        let texts: @Sendable (String) async -> [String]?

        /// Those of this machine.
        public static let system = NameServers(takesMail: MailDomain.takesMail, texts: MailDomain.texts)
    }

    private let sender: String?
    private let envelope: String?
    private let baseURL: String
    private let signatures: [DKIMSignature]
    private let servers: NameServers

    /// - Throws: ``ConfigProblems`` where a key that the config names cannot be read.
    public init(_ config: Config, servers: NameServers = .system) throws(ConfigProblems) {
        let mail = config.site.mail
        sender = mail.from.flatMap(MailAddress.init(parsing:)).flatMap { SenderCheck.domain(of: $0.address) }
        envelope = mail.returns.flatMap(SenderCheck.domain)
        baseURL = config.site.site.baseURL
        signatures = try OutboxTransports.signatures(of: config)
        self.servers = servers
    }

    private static func domain(of address: String) -> String? {
        address.split(separator: "@").last.map { $0.lowercased() }
    }

    public func run() async -> [Finding] {
        guard let sender else {
            return [Finding("sender", "mail.from", .missing, "Nobody sends. Set mail.from: Acme <hello@acme.example>")]
        }
        var findings = [await replies("replies", sender)]
        if let envelope, envelope != sender { findings.append(await replies("bounces", envelope)) }
        findings.append(await spf(at: envelope ?? sender))
        findings += await keys()
        findings += [await dmarc(of: sender), alignment(of: sender), oneClick]
        return findings
    }

    // MARK: - Each

    private func replies(_ name: String, _ domain: String) async -> Finding {
        switch await servers.takesMail(domain) {
        case true?: Finding(name, domain, .ok, "It takes mail.")
        case false?:
            Finding(name, domain, .wrong, "It takes no mail: nothing that is sent back arrives. Add an MX record.")
        case nil: Finding(name, domain, .unknown, SenderCheck.silence)
        }
    }

    private static let silence = "The name servers did not answer. Try again later."

    private func spf(at domain: String) async -> Finding {
        let finding = { (state: Finding.State, detail: String) in Finding("spf", domain, state, detail) }
        guard let texts = await servers.texts(domain) else { return finding(.unknown, SenderCheck.silence) }
        let records = texts.compactMap(SPFRecord.init)
        guard let record = records.first else {
            return finding(
                .missing,
                "Add a TXT record: v=spf1 include:NAME ~all, with the name your relay's manual says, or a:HOST for a host of yours."
            )
        }
        guard records.count == 1 else {
            return finding(
                .wrong, "\(records.count) records begin with v=spf1, and receivers take neither. Make one of them.")
        }
        var lookups = 0
        if let trouble = await count(record, into: &lookups, seen: [domain]) { return finding(.wrong, trouble) }
        guard lookups <= 10 else {
            return finding(
                .wrong, "It takes \(lookups) lookups, and receivers give up after 10. Leave out what does not send.")
        }
        switch record.verdictOnOthers {
        case "+": return finding(.wrong, "It ends in +all: anybody may send in your name. End it in ~all or -all.")
        case nil where record.redirect == nil, "?":
            return finding(.weak, "It says nothing about everybody else. End it in ~all or -all.")
        default: return finding(.ok, (["v=spf1"] + record.terms).joined(separator: " "))
        }
    }

    /// Counts the lookups of a record and of those it takes in. Returns what makes it void.
    private func count(_ record: SPFRecord, into lookups: inout Int, seen: Set<String>) async -> String? {
        lookups += record.lookups
        for name in record.includes + (record.redirect.map { [$0] } ?? []) where lookups <= 10 {
            // A macro stands for what only the receiver of a mail knows (section 7).
            guard !name.contains("%") else { continue }
            guard !seen.contains(name) else { return "It takes in \(name), which takes it in again." }
            guard let texts = await servers.texts(name) else { continue }
            guard let inner = texts.lazy.compactMap(SPFRecord.init).first else {
                return
                    "It takes in \(name), which has no record of its own: receivers then take none. Mend or remove it."
            }
            if let trouble = await count(inner, into: &lookups, seen: seen.union([name])) { return trouble }
        }
        return nil
    }

    private func keys() async -> [Finding] {
        guard !signatures.isEmpty else {
            return [
                Finding(
                    "dkim", "mail.dkim", .missing,
                    "Mails are not signed, unless your relay does it. Name a key here: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.pem"
                )
            ]
        }
        var findings: [Finding] = []
        for signature in signatures { findings.append(await key(signature)) }
        return findings
    }

    private func key(_ signature: DKIMSignature) async -> Finding {
        let name = signature.dnsName
        let wanted = TagList(signature.key.dnsRecord)
        guard let texts = await servers.texts(name) else { return Finding("dkim", name, .unknown, SenderCheck.silence) }
        let records = texts.map(TagList.init).filter { $0["p"] != nil }
        guard let record = records.first(where: { $0["p"] == wanted["p"] }) ?? records.first else {
            return Finding("dkim", name, .missing, "Add a TXT record: \(signature.key.dnsRecord)")
        }
        guard record["p"] == wanted["p"] else {
            return Finding(
                "dkim", name, .wrong,
                "Another key stands there: no signature holds. It should be: \(signature.key.dnsRecord)")
        }
        if record["t"]?.split(separator: ":").contains("y") == true {
            return Finding(
                "dkim", name, .weak, "It says t=y, a test, so that receivers may pass it over. Take that out.")
        }
        return Finding("dkim", name, .ok, "The key of the config, \(signature.key.algorithm).")
    }

    private func dmarc(of domain: String) async -> Finding {
        var place = domain
        while true {
            guard let texts = await servers.texts("_dmarc.\(place)") else {
                return Finding("dmarc", "_dmarc.\(place)", .unknown, SenderCheck.silence)
            }
            if let text = texts.first(where: { TagList($0)["v"] == "DMARC1" }) {
                return dmarc(text, at: "_dmarc.\(place)")
            }
            let parent = place.split(separator: ".").dropFirst()
            guard parent.count >= 2 else { break }
            place = parent.joined(separator: ".")
        }
        return Finding(
            "dmarc", "_dmarc.\(domain)", .missing,
            "Add a TXT record: v=DMARC1; p=none; rua=mailto:dmarc@\(domain) and read what receivers report; p=quarantine later."
        )
    }

    private func dmarc(_ text: String, at name: String) -> Finding {
        switch TagList(text)["p"]?.lowercased() {
        case "none"?:
            Finding("dmarc", name, .ok, "\(text) (receivers only report; p=quarantine keeps others from your name)")
        case "quarantine"?, "reject"?: Finding("dmarc", name, .ok, text)
        default: Finding("dmarc", name, .wrong, "It has no p=: receivers pass it over. Begin with v=DMARC1; p=none")
        }
    }

    /// DMARC asks that the domain of the signature or of the return path is that of the sender, a parent or a child of
    /// it: where the organisation ends, only the list of public suffixes knows.
    private func alignment(of sender: String) -> Finding {
        let signing = signatures.first { SenderCheck.isAligned($0.domain, sender) }
        if let signing { return Finding("alignment", sender, .ok, "Signed by \(signing.domain).") }
        if SenderCheck.isAligned(envelope ?? sender, sender) {
            let isAlone = signatures.isEmpty ? "" : " The keys of mail.dkim are of other domains."
            return Finding(
                "alignment", sender, .weak,
                "By the return path alone, which a forwarded mail loses. Sign with a key of \(sender) under mail.dkim.\(isAlone)"
            )
        }
        return Finding(
            "alignment", sender, .wrong,
            "Neither a key of mail.dkim nor mail.returns is of \(sender): DMARC fails for every mail. Sign with a key of \(sender)."
        )
    }

    private static func isAligned(_ domain: String, _ sender: String) -> Bool {
        let domain = domain.lowercased()
        return domain == sender || domain.hasSuffix(".\(sender)") || sender.hasSuffix(".\(domain)")
    }

    private var oneClick: Finding {
        baseURL.lowercased().hasPrefix("https://")
            ? Finding("one-click", "site.base_url", .ok, "Whoever wants to leave can, with one click (RFC 8058).")
            : Finding(
                "one-click", "site.base_url", .wrong,
                "It must begin with https:// for mail programs to show an unsubscribe button (RFC 8058, 3.1).")
    }
}
