import Foundation
import TrellisKernel

/// `lead_forms:` in the section of lead magnets: forms that people fill in on an ad platform, and that the platform
/// sends here.
public struct AdForm: SettingsRecord {
    public enum Platform: String, Sendable, CaseIterable { case google, meta, linkedin }

    public var platform = Platform.google
    public var magnet = Located("")
    public var key = ""
    public var verifyToken: String?
    public var accessToken: String?
    public var graphURL = "https://graph.facebook.com/v23.0"
    public var restURL = "https://api.linkedin.com/rest"
    public var restVersion = "202606"
    public var fields: [Named<String>] = []
    public var consent: [Named<String>] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField.required("platform", \.platform, .choice(), "google, meta or linkedin.")
        SettingsField.required("magnet", \.magnet, .locatedText, "The magnet that was promised on the platform.")
        SettingsField.required(
            "key", \.key, .secret, "What signs: Google's webhook key, Meta's app secret, LinkedIn's client secret.")
        SettingsField(
            "verify_token", \.verifyToken, optional: .secret,
            "Meta's verify token, which it says once when the hook is made.")
        SettingsField(
            "access_token", \.accessToken, optional: .secret,
            "What was typed is fetched with it: Meta's page token with leads_retrieval, LinkedIn's with r_marketing_leadgen_automation."
        )
        SettingsField("graph_url", \.graphURL, .webAddress, "Meta's Graph API, with its version.")
        SettingsField("rest_url", \.restURL, .webAddress, "LinkedIn's API.")
        SettingsField(
            "rest_version", \.restVersion, .text,
            "The version of LinkedIn's API as year and month; LinkedIn ends each after a year.")
        SettingsField(
            "fields", \.fields, .named("a mapping of the platform's fields to columns of leads", of: .text),
            "Fields of the platform beyond the usual ones: {what_is_your_budget: budget}.")
        SettingsField(
            "consent", \.consent, .named("a mapping of purposes to the platform's fields", of: .text),
            "Purpose and the field that was ticked for it.")
    }
}

/// One lead as a platform sends it.
struct AdLead: Sendable {
    /// The platform's own id of it, which it never uses twice.
    let id: String
    let campaign: String?
    let clickID: String?
    let isTest: Bool
    /// What was typed, by the names of the platform. Empty in a notification that says only that there is a lead.
    let answers: [(name: String, text: String)]
    /// What was asked, in the words of the form there, by the names of the platform; Google alone sends it along.
    var questions: [String: String] = [:]

    /// The usual fields of the platforms, in lower case. A full name becomes a first and a last one.
    static let columns = [
        "email": "email", "work_email": "email", "user_email": "email", "first_name": "first_name",
        "last_name": "last_name", "phone_number": "phone", "work_phone": "phone", "phone": "phone",
        "company_name": "company", "company": "company", "job_title": "title", "city": "city", "country": "country",
        "region": "region", "state": "region", "postal_code": "postal_code", "zip_code": "postal_code",
        "post_code": "postal_code",
    ]

    /// When a platform says that it signed this: nil where it says nothing, as Google does and Meta's Graph API. What
    /// is replayed is then known by the id of its lead alone, which is kept for good.
    static func signedAt(_ body: JSONValue, by platform: AdForm.Platform) -> Date? {
        let times: [Double] =
            switch platform {
            case .google: []
            // Seconds; several notices that come together are as old as the oldest.
            case .meta: body["entry"]?.elements.compactMap { $0["time"]?.scalarText.flatMap(Double.init) } ?? []
            case .linkedin: body["occurredAt"]?.scalarText.flatMap(Double.init).map { [$0 / 1000] } ?? []
            }
        return times.min().map { Date(timeIntervalSince1970: $0) }
    }

    /// Google's webhook: https://developers.google.com/google-ads/webhook/docs/implementation.
    static func google(_ body: JSONValue) -> [AdLead] {
        guard let id = body["lead_id"]?.scalarText else { return [] }
        let columns = body["user_column_data"]?.elements ?? []
        let answers = columns.compactMap { column in
            column["column_id"]?.scalarText.flatMap { name in column["string_value"]?.scalarText.map { (name, $0) } }
        }
        let questions = columns.reduce(into: [String: String]()) { questions, column in
            guard let name = column["column_id"]?.scalarText else { return }
            questions[name] = column["column_name"]?.scalarText.map(TextCleaning.line).flatMap { $0.isEmpty ? nil : $0 }
        }
        return [
            AdLead(
                id: id, campaign: body["campaign_id"]?.scalarText, clickID: body["gcl_id"]?.scalarText,
                isTest: body["is_test"] == .bool(true), answers: answers, questions: questions)
        ]
    }

    /// Meta's page webhook of the field `leadgen`, or a lead as its Graph API gives it, with `field_data`:
    /// https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving.
    static func meta(_ body: JSONValue) -> [AdLead] {
        let changes = body["entry"]?.elements.flatMap { $0["changes"]?.elements ?? [] }
        return (changes?.compactMap { $0["value"] } ?? [body]).compactMap { value in
            guard let id = value["leadgen_id"]?.scalarText ?? value["id"]?.scalarText else { return nil }
            let answers = value["field_data"]?.elements.compactMap { field in
                field["name"]?.scalarText.flatMap { name in
                    field["values"]?.elements.first?.scalarText.map { (name, $0) }
                }
            }
            let campaign = value["campaign_id"]?.scalarText ?? value["form_id"]?.scalarText
            return AdLead(id: id, campaign: campaign, clickID: nil, isTest: false, answers: answers ?? [])
        }
    }

    /// What a platform sent.
    static func all(_ body: JSONValue, from platform: AdForm.Platform) -> [AdLead] {
        switch platform {
        case .google: google(body)
        case .meta: meta(body)
        case .linkedin: linkedin(body)
        }
    }

    /// LinkedIn's lead notification, or a lead form response, whose answers are named by their question: by what
    /// LinkedIn asks itself (`FIRST_NAME`), the name of the question, or its id where the form does not come with them.
    /// A consent is an answer `consent:ID`. https://learn.microsoft.com/linkedin/marketing/lead-sync/leadsync.
    static func linkedin(_ body: JSONValue) -> [AdLead] {
        guard let id = body["leadGenFormResponse"]?.scalarText ?? body["id"]?.scalarText else { return [] }
        let questions = body["form"]?["content"]?["questions"]?.elements ?? []
        let names = questions.reduce(into: [String: String]()) { names, question in
            guard let id = question["questionId"]?.scalarText else { return }
            names[id] = (question["predefinedField"] ?? question["name"])?.scalarText
        }
        let typed = body["formResponse"]?["answers"]?.elements.compactMap { answer in
            (answer["name"] ?? answer["questionId"])?.scalarText.flatMap { name in
                answer["answerDetails"]?["textQuestionAnswer"]?["answer"]?.scalarText.map { (names[name] ?? name, $0) }
            }
        }
        let ticked = body["formResponse"]?["consentResponses"]?.elements.compactMap { consent in
            consent["consentId"]?.scalarText.map {
                ("consent:\($0)", consent["accepted"] == .bool(true) ? "yes" : "no")
            }
        }
        let answers = typed.map { $0 + (ticked ?? []) }
        return [
            AdLead(
                id: id, campaign: (body["associatedEntity"] ?? body["leadGenForm"])?.scalarText, clickID: nil,
                // A lead that somebody deleted there was told of before.
                isTest: body["testLead"] == .bool(true) || body["leadAction"]?.scalarText == "DELETED",
                answers: answers ?? [])
        ]
    }
}
