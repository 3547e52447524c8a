import Foundation
import TrellisKernel

/// Turns a stranger who wants something useful into a lead who got it: a page, a form, and what was promised, by mail
/// or at once.
public struct LeadMagnets: Plugin {
    public static let name = "lead_magnets"
    public static let summary = "Downloads, webinars, trials and links behind a form, with pages of their own."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static var views: [ViewFile] { EmbeddedViews.files }
    public static let events = [
        EventDeclaration("asset.downloaded", ["magnet": .text], says: "was given {magnet}"),
        EventDeclaration("form.confirmed", ["form": .text], says: "confirmed the form {form}"),
        EventDeclaration(
            "webinar.registered", ["magnet": .text, "webinar": .text], says: "signed up for the webinar {webinar}"),
        EventDeclaration(
            "webinar.attended", ["webinar": .text, "minutes": .integer], isActivity: true,
            says: "attended the webinar {webinar}[ for {minutes} minutes]"),
        EventDeclaration("webinar.missed", ["webinar": .text], isActivity: true, says: "missed the webinar {webinar}"),
        EventDeclaration(
            "trial.started", ["ends_on": .date, "magnet": .text], isActivity: true,
            says: "began a trial[ until {ends_on}]"),
        EventDeclaration(
            "lead.referred", ["lead_id": .integer, "magnet": .text], says: "brought lead {lead_id}[ by {magnet}]"),
        EventDeclaration(Lapse.kind, says: "forms that nobody confirmed were due to lapse"),
        EventDeclaration(
            NoShow.kind, ["webinar": .text, "ends_at": .text], says: "the webinar {webinar} was over for long enough"),
    ]
    public static var mails: [String: String] { mails(in: MagnetWords.english) }
    public static func mails(in words: Words) -> [String: String] { Mails.builtIn(words) }
    public static var words: [String: String] { EmbeddedWords.files }
    public static var mailVariables: [String: String] { Mails.elsewhere }
    public static let addressTables = ["magnets_quarantine"]
    public static let personTables = ["magnets_visits", "magnets_told"]
    public static let secrets = [
        "magnets_receipts", "magnets_quarantine.fields", "magnets_quarantine.network", "magnets_quarantine.agent",
        "magnets_visits.visitor", "magnets_told.visitor",
    ]
    public static let personal = [
        "magnets_quarantine.email", "magnets_quarantine.page", "magnets_quarantine.referrer", "magnets_visits.page",
        "magnets_visits.referrer", "magnets_visits.click_id", "magnets_platform_leads.platform_id",
        "magnets_fetches.platform_id", "magnets_address_list.value",
    ]
    public static var pages: [String: String] { EmbeddedPages.files }
    public static let counts = [
        Count(
            "held_forms", "Forms that look like no person's and wait for somebody to look.",
            hint: "see 'trellis magnets quarantine'",
            sql: "SELECT count(*) FROM magnets_quarantine WHERE released_at IS NULL")
    ]
    public static let invariants = [
        Invariant(
            "what was asked for is handed over once",
            violations: """
                SELECT s.delivered_by, s.magnet FROM (
                    SELECT delivered_by, magnet, delivered_as, count(*) AS asked FROM magnets_submissions WHERE state = 'delivered' GROUP BY 1, 2, 3) AS s
                LEFT JOIN (
                    SELECT cause_id, kind, json_extract(body, '$.magnet') AS magnet, count(*) AS given FROM events
                    WHERE kind IN (SELECT delivered_as FROM magnets_submissions) GROUP BY 1, 2, 3) AS e
                  ON e.cause_id = s.delivered_by AND e.kind = s.delivered_as AND e.magnet = s.magnet
                WHERE e.given IS NOT s.asked
                """),
        Invariant(
            "nobody who was asked to confirm got it before they did",
            violations: """
                SELECT s.id FROM magnets_submissions AS s JOIN events AS e ON e.cause_id = s.event_id AND e.lead_id = s.lead_id AND e.kind = s.delivered_as
                WHERE s.state = 'waiting'
                """),
    ]

    private let offers: Offers

    public init(settings: MagnetSettings) {
        offers = Offers(settings: settings, views: ViewCounter())
    }

    private var magnets: [Named<MagnetSettings.Magnet>] { offers.settings.magnets }

    public func check(_ check: ConfigCheck) {
        for (magnet, place) in magnets.map({ ($0.value, $0.place) }) {
            LeadMagnets.checkFields(of: magnet.form, check)
            if let asset = magnet.asset { check.download(asset) }
            for page in [magnet.page] + magnet.variants.map(\.value.page) {
                if let page { LeadMagnets.checkText(page, check) }
            }
            if !magnet.form.fields.contains(where: { ["email", "phone"].contains($0.name.value) && $0.isRequired }) {
                check.problem(
                    "nobody can be known by its form. Make email or phone required: fields: [email!]",
                    at: magnet.form.fields.first?.name.place ?? place)
            }
            for picture in [magnet.picture] + magnet.variants.map(\.value.picture) {
                if let picture { LeadMagnets.checkPicture(picture, check) }
            }
            if let stage = magnet.stage { check.stage(stage) }
            for mail in Mails.used(by: magnet, at: place) {
                check.mail(mail, values: Mails.values, in: magnet.language?.value)
            }
            if let mail = magnet.mail, magnet.isPlaceInMail {
                check.note(
                    "without url, {{magnet_url}} in the mail '\(mail.value)' is the landing page of the magnet. Say in the mail where to go, or write url: https://…",
                    at: mail.place)
            }
            if let language = magnet.language { check.language(language) }
            if let field = magnet.trial.field { LeadMagnets.checkMoment(field, .date, "trial_ends_on", check) }
            if let field = magnet.webinar.field { LeadMagnets.checkMoment(field, .time, "webinar_at", check) }
        }
        for magnet in magnets {
            NoShow.check(magnet, check)
            check.addressName(magnet.name, at: magnet.place)
        }
        for form in offers.settings.leadForms { check.addressName(form.name, at: form.place) }
        let names = magnets.map(\.name)
        for form in offers.settings.leadForms.map(\.value) {
            for field in form.fields { check.formColumn(Located(field.value, at: field.place)) }
            if !names.contains(form.magnet.value) {
                check.problem(
                    "there is no magnet '\(form.magnet.value)'.\(NearMiss.hint(form.magnet.value, among: names))",
                    at: form.magnet.place)
            }
        }
    }

    /// What a form asks for, each column once.
    private static func checkFields(of form: MagnetSettings.Form, _ check: ConfigCheck) {
        var asked: Set<String> = []
        for field in form.fields.map(\.name) + form.more {
            check.formColumn(field)
            guard !asked.insert(field.value).inserted else { continue }
            check.problem("the form asks for '\(field.value)' twice. Keep one.", at: field.place)
        }
    }

    /// A column that a magnet writes a date or time into: one that the site made for it, for what stood there is lost.
    private static func checkMoment(
        _ field: LocatedText, _ kind: CustomField.Kind, _ example: String, _ check: ConfigCheck
    ) {
        let own = check.config.site.leads.fields
        if own.contains(where: { $0.name == field.value && $0.value.kind == kind }) { return }
        let hint = NearMiss.hint(field.value, among: own.filter { $0.value.kind == kind }.map(\.name))
        let wanted = "Declare one for it, such as \(example): \(kind.rawValue)."
        check.problem(
            "'\(field.value)' is no \(kind.rawValue) among leads.fields, and it would be written over.\(hint) \(wanted)",
            at: field.place)
    }

    /// A text of a page: there, and Markdown that can be shown.
    private static func checkText(_ file: LocatedText, _ check: ConfigCheck) {
        guard let data = FileManager.default.contents(atPath: check.config.path(file.value)) else {
            return check.file(file)
        }
        do {
            let text = String(decoding: data, as: UTF8.self)
            _ = try WebText.html(text, name: file.value)
            for source in try WebText.pictures(text, name: file.value) { check.picture(source, at: file.place) }
        } catch {
            check.problem("\(error)", at: file.place)
        }
    }

    private static func checkPicture(_ picture: LocatedText, _ check: ConfigCheck) {
        guard WebText.isPicture(picture.value) else {
            return check.problem(
                "'\(picture.value)' is no address of a picture. Write /public/kitchen.jpg for one in the folder public/, or https://…",
                at: picture.place)
        }
        check.picture(picture.value, at: picture.place)
    }

    @HookBuilder public var hooks: [any Hook] {
        Filter("form", LeadDraft.self, order: .early, readsFile: false) { draft, tx in
            try applyForm(to: &draft, tx)
        }
        Subscribe("deliver", to: ["form.submitted", "form.confirmed", "lead.merged"], from: .nextEvent) { _, tx in
            try deliver(tx)
        }
        Subscribe("lapse", to: [Lapse.kind], from: .nextEvent, batch: 1) { _, tx in
            try Lapse(settings: offers.settings, tx: tx).run()
        }
        Subscribe("no-show", to: [NoShow.kind], from: .nextEvent) { _, tx in try NoShow.run(magnets, tx) }
        Answer("download-link", TemplateValues.self) { question, db in try templateValues(question, db) }
        Answer("simulated-confirmations", SimulatedActs.self) { _, _ in [SimulatedConfirmations.act] }
        Answer("submissions", Report.self) { question, db in
            [
                ReportSection("Magnets", try overview(db)),
                ReportSection("Confirmations that wait their turn", try ConfirmationPace.waiting(db)),
            ]
        }
    }

    public func begin(since _: Date?, _ tx: Transaction) throws { try NoShow.appoint(magnets, tx) }

    public var chores: [Chore] { [DomainCheck.chore, AdLeadFetch.chore(offers)] }

    public func end(_ kernel: Kernel) async { await offers.views.end(kernel) }

    public var consentTexts: [String: String] {
        Dictionary(magnets.flatMap(\.value.form.consent).map { ($0.name, $0.value) }) { first, _ in first }
    }

    public var activityNames: [String: [String: [String]]] {
        let webinars = magnets.filter { $0.value.kind == .webinar }.map(\.name)
        return ["webinar.attended": ["webinar": webinars], "webinar.missed": ["webinar": webinars]]
    }

    public var formLanguages: [String: String] {
        magnets.reduce(into: [:]) { languages, magnet in languages[magnet.name] = magnet.value.language?.value }
    }

    public var endpoints: [Endpoint] { offers.endpoints }

    /// A form takes the fields it declares and nothing else, and says which are missing. A lead that is known need not
    /// tell again what it told before. Somebody of the house may say more, and is told what is not taken.
    private func applyForm(to draft: inout LeadDraft, _ tx: Transaction) throws {
        guard let form = draft.form else { return }
        guard let named = magnets.first(where: { $0.name == form }) else {
            throw Veto(
                "there is no magnet '\(form)'.\(NearMiss.hint(form, among: magnets.map(\.name))) There are: \(magnets.map(\.name).joined(separator: ", "))."
            )
        }
        let magnet = named.value
        if draft.isByHouse, let note = named.lateNote(at: tx.now) { draft.notes.append(note) }
        let declared = Set(
            magnet.form.fields.map(\.name.value) + magnet.form.more.map(\.value) + ["source", "medium", "campaign"]
        ).union(draft.asked)
        for column in draft.givenColumns where !declared.contains(column) && !draft.isByHouse { draft[column] = .null }
        // A form in a browser was checked against what it showed.
        let missing = magnet.form.fields.filter { $0.isRequired && draft[$0.name.value].isNull }.map(\.name.value)
        guard missing.isEmpty || draft.proof != nil else {
            throw Veto("the form of '\(form)' needs \(missing.joined(separator: ", "))")
        }
        try applyConsents(of: magnet, called: form, to: &draft)
        if magnet.optIn == .double { draft.awaitsConfirmation = true }
        if let stage = magnet.stage, !draft.isByHouse || draft["stage"].isNull {
            draft["stage"] = stage.value.databaseValue
        }
    }

    private func applyConsents(of magnet: MagnetSettings.Magnet, called form: String, to draft: inout LeadDraft) throws
    {
        let asked = magnet.form.consent.map(\.name)
        let others = draft.consents.keys.filter { !asked.contains($0) }.sorted()
        if draft.isByHouse, let other = others.first {
            throw Veto(
                asked.isEmpty
                    ? "the form of '\(form)' asks for no consent. Leave consent_\(other) out, or take the lead in without the form."
                    : "the form of '\(form)' does not ask for the consent '\(other)'.\(NearMiss.hint(other, among: asked)) It asks for: \(asked.joined(separator: ", "))."
            )
        }
        for other in others { draft.consents[other] = nil }
        // Who was asked elsewhere saw the sentence of there.
        draft.consentTexts.merge(magnet.form.consent.map { ($0.name, $0.value) }) { seen, _ in seen }
    }

    private func deliver(_ tx: Transaction) throws {
        guard
            let row = try Row.fetchOne(tx.db.cachedStatement(sql: "SELECT min(id), max(id) FROM batch")),
            let first: Int64 = row[0], let last: Int64 = row[1], first <= last
        else { return }
        let deliveries = magnets.map { Delivery(magnet: $0, tx: tx, range: (first, last)) }
        for delivery in deliveries { try delivery.note() }
        try DomainCheck.note(tx)
        try MixedScript.note(tx)
        try Referrals.followMerges(tx)
        try Delivery.confirm(tx)
        for delivery in deliveries {
            try delivery.askToConfirm()
            try delivery.handOver()
        }
        try ConfirmationPace(perMinute: offers.settings.confirmationsPerMinute, tx: tx).spread()
        try Lapse(settings: offers.settings, tx: tx).appoint(forms: first...last)
        try tx.db.cachedStatement(
            sql: "DELETE FROM magnets_receipts WHERE at < datetime(?, '-\(Delivery.receiptDays) days')"
        ).execute(arguments: [tx.stamp])
        try ToldFields.empty(tx)
        try Quarantine.empty(tx)
    }

    /// The links of a mail about a magnet. They are made when it is sent, so that they work from then on.
    private func templateValues(_ question: TemplateValues, _ db: Database) throws -> [String: String] {
        guard
            let name = try question.body["magnet"]
                ?? LeadMagnets.magnet(ofSubmission: question.body["submission"], db)
                ?? magnet(ofMail: question.template),
            let leadID = question.leadID, let magnet = magnets.first(where: { $0.name == name })
        else { return [:] }
        let offer = Offer(magnet: magnet, config: question.config)
        let expires = question.now + Double(offers.settings.linkDays) * 86_400
        var values = [
            "magnet_title": magnet.value.title,
            "download_url": try Handover(offer: offer, leadID: leadID, days: offers.settings.linkDays).link(
                now: question.now),
            "confirm_url": try question.link(
                "confirm", Confirmation.subject(lead: leadID, magnet: name), expires: expires),
            "magnet_url": offer.place(at: question.now).url ?? offer.url,
            "trial_days": String(magnet.value.trial.days),
        ]
        values["mail_language"] = offer.language
        values["webinar_time"] = offer.time(in: question.place)
        values["mail.link.webinar_time"] = magnet.value.webinar.startsAt.flatMap {
            MailDates.plain(Timestamp.text($0))
        }
        values["referral_url"] = try Referrals.link(of: leadID, offer, db)
        return values
    }

    /// A preview is of no message: the mail itself tells which magnet it brings.
    private func magnet(ofMail template: String) -> String? {
        magnets.first {
            template == $0.value.mail?.value ?? Mails.name(for: $0.value)
                || template == $0.value.confirmMail?.value ?? "magnet-confirm"
        }?.name
    }

    /// Mails of before named the submission.
    private static func magnet(ofSubmission id: String?, _ db: Database) throws -> String? {
        guard let id else { return nil }
        return try String.fetchOne(db, sql: "SELECT magnet FROM magnets_submissions WHERE id = ?", arguments: [id])
    }

    private func overview(_ db: Database) throws -> Table { try LeadMagnets.overview(magnets.map(\.name), db) }

    /// Those of the config, and those that were there once.
    static func overview(_ names: [String], _ db: Database) throws -> Table {
        Table(
            columns: ["magnet", "views", "submissions", "leads", "conversion"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT s.magnet, nullif(v.views, 0) AS views, s.submissions, s.leads,
                           CASE WHEN v.views > 0 THEN round(100.0 * v.submissions / v.views, 1) || ' %' END
                    FROM (SELECT magnet, sum(is_form) AS submissions, count(DISTINCT lead_id) AS leads FROM (
                            SELECT magnet, lead_id, 1 AS is_form FROM magnets_submissions
                            UNION ALL SELECT DISTINCT magnet, NULL, 0 FROM magnets_views WHERE magnet <> ''
                            UNION ALL SELECT value, NULL, 0 FROM json_each(?)) GROUP BY magnet) AS s
                    LEFT JOIN (SELECT magnet, sum(views) AS views, sum(submissions) AS submissions FROM magnets_conversion GROUP BY magnet) AS v
                      ON v.magnet = s.magnet
                    ORDER BY s.submissions DESC, s.magnet
                    """, arguments: [JSONValue.array(names.map(JSONValue.string)).text()]))
    }

    public var commands: [Command] { MagnetCommands(offers: offers).all }
}
