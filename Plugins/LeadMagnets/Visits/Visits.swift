import Foundation
import Synchronization
import TrellisKernel

/// Pages that were looked at: counted for everybody, without a cookie; kept one by one only for a visitor who has a
/// cookie of this site, so that they belong to the lead the visitor becomes.
struct Visits: Sendable {
    let offers: Offers

    static let cookie = "trellis_visitor"
    static let cookieDays = 180

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/pixel.gif") { request in
                let page = request.query["page"] ?? request.header("referer")
                guard let page, request.method == "GET", let path = Visits.path(page) else { return Visits.pixel }
                let arrival = Arrival(landingPage: page, referrer: request.query["referrer"])
                return try await count(request, arrival, page: path, magnet: "", variant: nil, Visits.pixel)
            },
            Endpoint(.post, "/visitor", isOpenToOrigins: true) { request in
                // Pressed by a person: agrees to the cookie, or takes it back.
                let agrees = request.fields["agree"].map(OfferForm.isYes) ?? false
                guard offers.settings.visitors != .none else { throw WebProblem.notFound }
                try Visits.refuseStrangers(request)
                if agrees {
                    return .see(Visits.back(request)).with(
                        "set-cookie", Visits.setCookie(Visits.number(), request))
                }
                if let visitor = request.cookie(Visits.cookie) { try await Visits.forget(visitor, request.kernel) }
                return .see(Visits.back(request)).with("set-cookie", Visits.dropCookie)
            },
            Endpoint(.get, "/trellis.js") { _ in
                WebReply.text(Visits.script, type: "text/javascript; charset=utf-8").with(
                    "cache-control", "public, max-age=3600"
                )
                .with("cross-origin-resource-policy", "cross-origin")
            },
        ]
    }

    /// A page of another site agrees to nothing in a visitor's name, unless it is one of `server.origins`. Browsers say
    /// where a form was sent from (https://fetch.spec.whatwg.org/#origin-header).
    private static func refuseStrangers(_ request: WebRequest) throws {
        let site = request.kernel.config.site
        let own = URL(string: site.site.baseURL).map { url in
            "\(url.scheme ?? "http")://\(url.host() ?? "")" + (url.port.map { ":\($0)" } ?? "")
        }
        let friends = site.server.origins + [own].compactMap { $0 }
        let isStrange =
            request.header("origin").map { !friends.contains($0) }
            ?? (request.header("sec-fetch-site") == "cross-site")
        if isStrange { throw WebProblem(403, MagnetWords.of(request.kernel.config)("visitor_stranger")) }
    }

    /// What a page asks the visitor, or tells one who agreed; nil where a site asks nobody.
    func asking(_ request: WebRequest, _ words: Words) -> PageValue? {
        guard offers.settings.visitors == .consent else { return nil }
        let isRemembered = visitor(request) != nil
        let days = String(Visits.cookieDays)
        return .record([
            "is_remembered": .flag(isRemembered), "days": .text(days),
            "question": .text(words("visitor_question", ["days": days])),
        ])
    }

    /// The page where the button was pressed, with what its address says of where the visitor came from.
    private static func back(_ request: WebRequest) -> String {
        guard let page = request.header("referer"), let path = path(page) else { return "/" }
        let isFriend = request.kernel.config.site.server.origins.contains { page == $0 || page.hasPrefix($0 + "/") }
        if isFriend { return page }
        return path + (URLComponents(string: page)?.percentEncodedQuery.map { "?" + $0.prefix(1000) } ?? "")
    }

    /// What was seen by nobody's lead goes; of a lead it is a part of the history.
    private static func forget(_ visitor: String, _ kernel: Kernel) async throws {
        try await kernel.writeTogether(origin: "visitor") { tx in
            try tx.db.cachedStatement(sql: "DELETE FROM magnets_visits WHERE visitor = ? AND lead_id IS NULL")
                .execute(arguments: [visitor])
            try ToldFields.forget(visitor: visitor, tx)
        }
    }

    /// The number in the cookie of a visitor, where the site keeps visitors.
    func visitor(_ request: WebRequest) -> String? {
        guard offers.settings.visitors != .none else { return nil }
        return request.cookie(Visits.cookie).flatMap { Visits.isNumber($0) ? $0 : nil }
    }

    /// Counts a view, and keeps it where the visitor is known by a cookie.
    func count(
        _ request: WebRequest, _ arrival: Arrival, page: String, magnet: String, variant: String?, _ reply: WebReply
    ) async throws -> WebReply {
        guard !Robots.isOne(request.header("user-agent")) else { return reply }
        let kernel = request.kernel
        let channel = Channel.of(arrival, rules: kernel.config.site.leads.channels)
        offers.views.add(
            View(
                day: String(Timestamp.text(kernel.clock.now()).prefix(10)), page: page, magnet: magnet,
                variant: variant ?? "", channel: channel), kernel)
        guard offers.settings.visitors != .none else { return reply }
        var visitor = visitor(request)
        var reply = reply
        if visitor == nil, offers.settings.visitors == .always {
            let number = Visits.number()
            visitor = number
            reply = reply.with("set-cookie", Visits.setCookie(number, request))
        }
        guard let visitor else { return reply }
        let number = visitor
        await kernel.writeAside(origin: "visitor") { tx in
            try Visits.keep(visitor: number, page: page, channel: channel, arrival, tx)
        }
        return reply
    }

    /// A visitor whose lead is known, and still there, leaves a touch of that lead.
    private static func keep(
        visitor: String, page: String, channel: String, _ arrival: Arrival, _ tx: Transaction
    ) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_visits (visitor, lead_id, at, page, channel, source, medium, campaign, referrer, click_id_kind, click_id)
                VALUES (:visitor, (SELECT v.lead_id FROM magnets_visits AS v JOIN leads AS l ON l.id = v.lead_id
                                   WHERE v.visitor = :visitor ORDER BY v.id DESC LIMIT 1),
                        :now, :page, :channel, :source, :medium, :campaign, :referrer, :click_kind, :click)
                """
        ).execute(arguments: [
            "visitor": visitor, "now": tx.stamp, "page": page, "channel": channel, "source": arrival.source,
            "medium": arrival.medium, "campaign": arrival.campaign, "referrer": arrival.referrer,
            "click_kind": arrival.click?.kind, "click": arrival.click?.id,
        ])
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO touches (lead_id, at, kind, channel, source, medium, campaign, referrer, landing_page, click_id_kind, click_id)
                SELECT lead_id, at, 'view', channel, source, medium, campaign, referrer, page, click_id_kind, click_id FROM magnets_visits
                WHERE id = ? AND lead_id IS NOT NULL
                """
        ).execute(arguments: [tx.db.lastInsertedRowID])
    }

    /// What a visitor looked at before is their lead's from now on: each page a touch.
    static func belong(to lead: Int64, visitor: String, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO touches (lead_id, at, kind, channel, source, medium, campaign, referrer, landing_page, click_id_kind, click_id)
                SELECT :lead, at, 'view', channel, source, medium, campaign, referrer, page, click_id_kind, click_id FROM magnets_visits
                WHERE visitor = :visitor AND lead_id IS NULL ORDER BY id
                """
        ).execute(arguments: ["visitor": visitor, "lead": lead])
        try tx.db.cachedStatement(sql: "UPDATE magnets_visits SET lead_id = ? WHERE visitor = ? AND lead_id IS NULL")
            .execute(arguments: [lead, visitor])
    }

    // MARK: - Parts

    private static func number() -> String {
        Hexadecimal.text((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    private static func isNumber(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    private static func setCookie(_ number: String, _ request: WebRequest) -> String {
        let isSecure = request.kernel.config.site.site.baseURL.hasPrefix("https:")
        return
            "\(cookie)=\(number); Max-Age=\(cookieDays * 86_400); Path=/; HttpOnly; SameSite=Lax\(isSecure ? "; Secure" : "")"
    }

    private static let dropCookie = "\(cookie)=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"

    /// The path of a page, at most 300 characters; nil for what is no address.
    private static func path(_ page: String) -> String? {
        if page.hasPrefix("/"), !page.hasPrefix("//"), !page.hasPrefix("/\\") {
            return String(page.prefix { $0 != "?" && $0 != "#" }.prefix(300))
        }
        guard let bare = Arrival(landingPage: page, referrer: nil).landingPage, let path = URL(string: bare)?.path()
        else {
            return nil
        }
        // Two slashes at the beginning are the address of another site.
        return "/" + path.split(separator: "/").joined(separator: "/")
    }

    /// A GIF of one transparent pixel.
    private static let pixel = WebReply(
        headers: [("content-type", "image/gif"), ("cross-origin-resource-policy", "cross-origin")],
        body: .bytes([
            0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21, 0xf9, 4, 1, 0,
            0, 0,
            0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b,
        ]))

    /// For pages of the site's own: counts the view with the page before, and fills in where the visitor came from in
    /// forms of ours. It sets no cookie and reads none.
    static let script = """
        (function(){var d=document,s=d.currentScript,b=s.src.replace(/\\/trellis\\.js.*/,""),r=d.referrer,l=location,k="trellis_first";
        try{if(!sessionStorage[k])sessionStorage[k]=JSON.stringify([l.href,r]);var f=JSON.parse(sessionStorage[k])}catch(e){f=[l.href,r]}
        (new Image).src=b+"/pixel.gif?page="+encodeURIComponent(l.href)+"&referrer="+encodeURIComponent(r);
        d.addEventListener("submit",function(e){var t=e.target;if((t.action||"").indexOf(b+"/forms/")!==0)return;
        [["_page",f[0]],["_referrer",f[1]]].forEach(function(p){var i=t.elements[p[0]];
        if(!i){i=d.createElement("input");i.type="hidden";i.name=p[0];t.appendChild(i)}i.value=p[1]})},true)})();
        """
}

/// Programs that look at pages and say so.
enum Robots {
    private static let words = [
        "bot", "crawl", "spider", "slurp", "preview", "facebookexternalhit", "curl/", "wget/", "python", "headless",
        "monitor",
        "scan", "feed", "archive", "java/", "go-http",
    ]

    /// Whether the browser names itself as one; no name is one.
    static func isOne(_ agent: String?) -> Bool {
        guard let agent = agent?.lowercased(), !agent.isEmpty else { return true }
        return words.contains { agent.contains($0) }
    }
}

struct View: Sendable, Hashable {
    let day: String
    let page: String
    let magnet: String
    let variant: String
    let channel: String
}

/// Counts views in memory and writes them together, once a second at most: a view is no reason to wait for the disk.
/// A stop in order writes the last ones; what was counted in the last second is lost where the process dies.
final class ViewCounter: Sendable {
    private struct State {
        var counts: [View: Int] = [:]
        /// Writes until nothing is left to write; nil while nothing is.
        var writer: Task<Void, Never>?
    }

    private let state = Mutex(State())

    /// Anybody may name a page to the pixel: beyond so many rows a day only landing pages are counted.
    static let rowsPerDayMax = 20_000
    /// Kinds of view in one second; more are not counted.
    static let kindsMax = 5000

    func add(_ view: View, _ kernel: Kernel) {
        state.withLock { state in
            guard state.counts[view] != nil || state.counts.count < ViewCounter.kindsMax else { return }
            state.counts[view, default: 0] += 1
            guard state.writer == nil else { return }
            state.writer = Task { await self.writeAll(kernel) }
        }
    }

    private func writeAll(_ kernel: Kernel) async {
        repeat {
            // Cut short when the server ends.
            try? await Task.sleep(for: .seconds(1))
            await write(kernel)
        } while state.withLock { state in
            if state.counts.isEmpty { state.writer = nil }
            return state.writer != nil
        }
    }

    /// Writes what was counted, now; returns once it is written, also what was being written already.
    func end(_ kernel: Kernel) async {
        let writer = state.withLock { $0.writer }
        writer?.cancel()
        await writer?.value
    }

    /// Writes what was counted so far.
    func write(_ kernel: Kernel) async {
        let counts = state.withLock { state in
            defer { state.counts = [:] }
            return state.counts
        }
        guard !counts.isEmpty else { return }
        let rows = JSONValue.array(
            counts.map { view, count in
                .array([
                    .string(view.day), .string(view.page), .string(view.magnet), .string(view.variant),
                    .string(view.channel), .integer(Int64(count)),
                ])
            })
        do {
            try await kernel.writeTogether(origin: "visitor") { tx in
                try tx.db.cachedStatement(
                    sql: """
                        INSERT INTO magnets_views (day, page, magnet, variant, channel, views)
                        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)
                        WHERE value ->> 2 <> '' OR (SELECT count(*) FROM magnets_views WHERE day = value ->> 0) < \(ViewCounter.rowsPerDayMax)
                        ON CONFLICT (day, page, magnet, variant, channel) DO UPDATE SET views = views + excluded.views
                        """
                ).execute(arguments: [rows.text()])
            }
        } catch {
            kernel.logger.warning("views were not counted", metadata: ["error": "\(error)"])
        }
    }
}
