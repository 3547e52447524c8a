import Foundation

/// The links of mails that lead over this site, and the picture that tells of an opening.
///
/// A token names the message and the link by their ids, and the address is looked up: nobody can make a link that leads
/// elsewhere. Whoever presses is sent on at once, whatever will be thought of the hit.
public enum MailHits {
    /// `GET /c/TOKEN` and `GET /o/TOKEN.gif`, for everybody. A HEAD is answered as a GET and noted as what it is.
    public static var endpoints: [Endpoint] {
        [Endpoint(.get, "/c/:token", follow), Endpoint(.get, "/o/:token", picture)]
    }

    /// Noted of one message within an hour. Nobody presses so often, and a mail that somebody published must not fill
    /// the file.
    static let hitsPerHourMax = 60

    private static func follow(_ request: WebRequest) async throws -> WebReply {
        let kernel = request.kernel
        guard let hit = MailHit(try kernel.open(request["token"], purpose: MailHit.clickPurpose)),
            let link = hit.linkID,
            let url = try kernel.read({ db in
                try String.fetchOne(
                    db.cachedStatement(sql: "SELECT url FROM mail_links WHERE id = ?"), arguments: [link])
            })
        else { throw WebProblem.notFound }
        await note(hit, request)
        return WebReply(
            status: 302,
            headers: [("location", url), ("cache-control", "no-store"), ("referrer-policy", "no-referrer")])
    }

    private static func picture(_ request: WebRequest) async throws -> WebReply {
        let name = request["token"]
        let token = name.hasSuffix(".gif") ? String(name.dropLast(4)) : name
        guard let hit = MailHit(try request.kernel.open(token, purpose: MailHit.openPurpose)), hit.linkID == nil else {
            throw WebProblem.notFound
        }
        await note(hit, request)
        return WebReply(
            headers: [("content-type", "image/gif"), ("cache-control", "no-store")], body: .bytes(onePixel))
    }

    /// Whoever presses is not kept from the page because the file takes no writes just now.
    private static func note(_ hit: MailHit, _ request: WebRequest) async {
        let mail = request.kernel.config.site.mail
        guard mail.tracking != .none, hit.linkID != nil || mail.tracking == .clicksAndOpens else { return }
        let values: [String: (any DatabaseValueConvertible & Sendable)?] = [
            "message": hit.messageID, "link": hit.linkID, "method": request.method, "agent": request.proof().agent,
            "isPrefetch": isPrefetch(request), "network": request.client.network, "purpose": mail.trackingConsent,
        ]
        do {
            try await request.kernel.writeTogether(origin: "mail:hit") { tx in
                try tx.db.cachedStatement(sql: noteSQL).execute(
                    arguments: StatementArguments(values) &+ [
                        "now": tx.stamp, "hourAgo": Timestamp.text(tx.now - 3600),
                    ])
                guard tx.db.changesCount == 1 else { return }
                let due = HitJudge.appointment(for: tx.now)
                try tx.emit(MailHitsGathered(), at: due, key: "mail hits until \(Timestamp.text(due))")
            }
        } catch {
            request.kernel.logger.warning("a hit of a mail could not be noted", metadata: ["error": "\(error)"])
        }
    }

    /// Nothing is noted of a lead that is gone, nor of one who does not agree any more.
    private static let noteSQL = """
        INSERT INTO mail_hits (message_id, lead_id, link_id, method, is_prefetch, agent, network, at)
        SELECT m.id, l.id, :link, :method, :isPrefetch, :agent, :network, :now
        FROM outbox_messages AS m JOIN leads AS l ON l.id = m.lead_id
        WHERE m.id = :message AND (:purpose IS NULL OR (\(MailWatch.consentSQL)) = 'granted')
          AND (SELECT count(*) FROM mail_hits WHERE message_id = m.id AND at > :hourAgo) < \(hitsPerHourMax)
        """

    /// Browsers say when they only fetch ahead (https://wicg.github.io/nav-speculation/prefetch.html, Sec-Purpose; the
    /// older headers are those of Chrome, Safari and Firefox).
    private static func isPrefetch(_ request: WebRequest) -> Bool {
        ["sec-purpose", "purpose", "x-purpose", "x-moz"].contains { name in
            let said = request.header(name)?.lowercased() ?? ""
            return said.contains("prefetch") || said.contains("preview")
        }
    }

    /// One transparent pixel (GIF89a).
    private static let onePixel: [UInt8] = [
        0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x21, 0xF9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2C, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00,
        0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3B,
    ]
}

/// What the token of a watched link or picture names.
struct MailHit: Hashable {
    static let clickPurpose = "click"
    static let openPurpose = "open"

    let messageID: Int64
    /// Nil for the picture.
    let linkID: Int64?

    init(messageID: Int64, linkID: Int64?) {
        self.messageID = messageID
        self.linkID = linkID
    }

    /// Reads `17.4`, or `17` for the picture.
    init?(_ subject: String) {
        let parts = subject.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let message = parts.first.flatMap({ Int64($0) }) else { return nil }
        messageID = message
        linkID = parts.count == 2 ? Int64(parts[1]) : nil
        if parts.count == 2, linkID == nil { return nil }
    }

    /// The address that stands in the mail.
    func url(_ config: Config) throws -> String {
        guard let linkID else { return try config.link("o", purpose: MailHit.openPurpose, String(messageID)) + ".gif" }
        return try config.link("c", purpose: MailHit.clickPurpose, "\(messageID).\(linkID)")
    }
}
