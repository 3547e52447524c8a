import Foundation
import TrellisKernel

/// Fetches what people typed where a platform told only that there is a lead, as Meta and LinkedIn do: with the
/// `access_token` of the lead form, from Meta's Graph API
/// (https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving) and LinkedIn's Lead Sync
/// (https://learn.microsoft.com/linkedin/marketing/lead-sync/leadsync). What cannot be had in two days goes into
/// quarantine.
struct AdLeadFetch: Sendable {
    let forms: AdForms
    let kernel: Kernel
    let web: WebReader

    /// Asked for at a time.
    static let leadsMax = 20
    static let attemptsMax = 16

    static func chore(_ offers: Offers) -> Chore {
        Chore("fetch-leads", every: .seconds(10)) { kernel, web in
            try await AdLeadFetch(forms: AdForms(offers: offers), kernel: kernel, web: web).run()
        }
    }

    /// A lead that is to be fetched.
    struct Notice: Sendable, Hashable {
        let platform: AdForm.Platform
        let id: String
        /// Its name under `lead_forms`.
        let form: String
        var attempts = 0
    }

    /// Takes a notice up; the next round asks.
    static func note(_ lead: AdLead, _ form: Named<AdForm>, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_fetches (platform, platform_id, form, noted_at, next_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [form.value.platform.rawValue, lead.id, form.name, tx.stamp, tx.stamp])
    }

    /// Whether the answers of a lead can be asked for.
    static func canAsk(_ lead: AdLead, _ form: AdForm) -> Bool {
        form.accessToken != nil && address(of: lead.id, form) != nil
    }

    /// Where a lead is had; nil where the platform has none, or the id is none that may become a part of an address.
    private static func address(of id: String, _ form: AdForm) -> String? {
        switch form.platform {
        case .google: return nil
        case .meta:
            guard id.wholeMatch(of: /[0-9]{1,40}/) != nil else { return nil }
            return "\(form.graphURL)/\(id)?fields=id,form_id,field_data"
        case .linkedin:
            // urn:li:leadGenFormResponse:a9a29e52-c0a3-42e3-8af1-2fc83b697003-4
            let bare = id.split(separator: ":").last.map(String.init) ?? ""
            guard bare.wholeMatch(of: /[A-Za-z0-9-]{1,80}/) != nil else { return nil }
            return "\(form.restURL)/leadFormResponses/\(bare)?fields=id,testLead,formResponse,form:(content)"
        }
    }

    private static func headers(_ token: String, _ form: AdForm) -> [String: String] {
        // In a header: an address stands in logs.
        var headers = ["authorization": "Bearer \(token)"]
        if form.platform == .linkedin {
            headers["linkedin-version"] = form.restVersion
            headers["x-restli-protocol-version"] = "2.0.0"
        }
        return headers
    }

    func run() async throws {
        for notice in try due() {
            do {
                let lead = try await fetch(notice)
                try await kernel.writeTogether(origin: forms.origin(of: notice.form)) { tx in
                    try forms.keep(lead, try form(notice), kernel, tx)
                    try AdLeadFetch.forget(notice, tx)
                }
            } catch let problem as WebReaderProblem {
                try await kernel.writeTogether(origin: forms.origin(of: notice.form)) {
                    try putOff(notice, problem, $0)
                }
            }
        }
    }

    private func due() throws -> [Notice] {
        try kernel.read { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT platform, platform_id, form, attempts FROM magnets_fetches WHERE next_at <= ? ORDER BY next_at LIMIT \(AdLeadFetch.leadsMax)
                        """), arguments: [Timestamp.text(kernel.clock.now())]
            ).compactMap { row in
                AdForm.Platform(rawValue: row[0]).map {
                    Notice(platform: $0, id: row[1], form: row[2], attempts: row[3])
                }
            }
        }
    }

    private func form(_ notice: Notice) throws(WebReaderProblem) -> Named<AdForm> {
        guard let form = forms.offers.settings.leadForms.first(where: { $0.name == notice.form }) else {
            throw WebReaderProblem("the config has no lead form '\(notice.form)' any more")
        }
        return form
    }

    private func fetch(_ notice: Notice) async throws -> AdLead {
        let form = try form(notice).value
        guard let token = form.accessToken, let address = AdLeadFetch.address(of: notice.id, form) else {
            throw WebReaderProblem("the lead form '\(notice.form)' has no access_token")
        }
        let answer = try await web.get(address, headers: AdLeadFetch.headers(token, form))
        let body = JSONValue(parsing: String(decoding: answer.body, as: UTF8.self))
        guard answer.status == 200 else {
            let said = (body?["error"] ?? body)?["message"]?.scalarText.map {
                ": " + TextCleaning.line(String($0.prefix(200)))
            }
            throw WebReaderProblem("\(notice.platform.rawValue) answered \(answer.status)\(said ?? "")")
        }
        guard let lead = body.map({ AdLead.all($0, from: form.platform) })?.first, !lead.answers.isEmpty else {
            throw WebReaderProblem("\(notice.platform.rawValue) answered without what was typed")
        }
        // By the id it was told of by, which the answer may write in another way.
        return AdLead(
            id: notice.id, campaign: lead.campaign, clickID: lead.clickID, isTest: lead.isTest, answers: lead.answers)
    }

    private static func forget(_ notice: Notice, _ tx: Transaction) throws {
        try tx.db.cachedStatement(sql: "DELETE FROM magnets_fetches WHERE platform = ? AND platform_id = ?")
            .execute(arguments: [notice.platform.rawValue, notice.id])
    }

    /// A minute, two, four, …, six hours; after two days somebody of the house has to look.
    private func putOff(_ notice: Notice, _ problem: WebReaderProblem, _ tx: Transaction) throws {
        let attempts = notice.attempts + 1
        guard attempts < AdLeadFetch.attemptsMax else {
            try forms.hold(notice, because: "\(problem): fetch lead \(notice.id) there and import it", kernel, tx)
            return try AdLeadFetch.forget(notice, tx)
        }
        let seconds = min(60 * pow(2, Double(attempts - 1)), 6 * 3600)
        try tx.db.cachedStatement(
            sql: """
                UPDATE magnets_fetches SET attempts = ?, next_at = ?, problem = ? WHERE platform = ? AND platform_id = ?
                """
        ).execute(arguments: [
            attempts, Timestamp.text(tx.now + seconds), problem.description, notice.platform.rawValue, notice.id,
        ])
    }
}
