import Foundation
import Testing
import TrellisKernel

@testable import LeadMagnets

@Suite struct AdFormTests {
    private func json(_ text: String) throws -> JSONValue { try #require(JSONValue(parsing: text)) }

    private func answers(_ lead: AdLead) -> [String] { lead.answers.map { "\($0.name)=\($0.text)" } }

    // MARK: - Google

    @Test func `a lead of Google is read with its campaign, its click and its answers`() throws {
        let leads = AdLead.google(
            try json(
                """
                {"lead_id": "TeSter-123", "form_id": 40000, "campaign_id": 123, "gcl_id": "Cj0K", "api_version": "1.0",
                 "google_key": "k", "user_column_data": [
                    {"column_name": "Full Name", "string_value": "Ann Lee", "column_id": "FULL_NAME"},
                    {"string_value": "ann@a.example", "column_id": "EMAIL"}, {"column_id": "CITY"}, {"string_value": "x"}]}
                """))
        #expect(leads.map(\.id) == ["TeSter-123"])
        let lead = try #require(leads.first)
        #expect(lead.campaign == "123" && lead.clickID == "Cj0K" && !lead.isTest)
        #expect(answers(lead) == ["FULL_NAME=Ann Lee", "EMAIL=ann@a.example"])
        #expect(lead.questions == ["FULL_NAME": "Full Name"])
    }

    @Test func `what Google calls a test is one, and a lead without an id is none`() throws {
        #expect(AdLead.google(try json(#"{"lead_id": "1", "is_test": true}"#)).map(\.isTest) == [true])
        #expect(AdLead.google(try json(#"{"user_column_data": []}"#)).isEmpty)
        #expect(AdLead.google(try json("[1]")).isEmpty)
    }

    // MARK: - Meta

    @Test func `a notice of Meta brings every lead of every page in it, without answers`() throws {
        let leads = AdLead.meta(
            try json(
                """
                {"object": "page", "entry": [
                    {"id": "1", "time": 1772442000, "changes": [
                        {"field": "leadgen", "value": {"leadgen_id": "11", "form_id": "5"}},
                        {"field": "leadgen", "value": {"leadgen_id": 12, "campaign_id": "6"}}]},
                    {"id": "2", "time": 1772442001, "changes": [{"field": "leadgen", "value": {"leadgen_id": "13"}}]}]}
                """))
        #expect(leads.map(\.id) == ["11", "12", "13"])
        #expect(leads.map(\.campaign) == ["5", "6", nil])
        #expect(leads.allSatisfy { $0.answers.isEmpty && !$0.isTest && $0.clickID == nil })
    }

    @Test func `a lead as the Graph API gives it is read with the first of its values`() throws {
        let leads = AdLead.meta(
            try json(
                """
                {"id": "14", "created_time": "2026-03-02T09:00:00+0000", "field_data": [
                    {"name": "email", "values": ["ann@a.example", "b@b.example"]}, {"name": "empty", "values": []},
                    {"values": ["x"]}, {"name": "full_name", "values": ["Ann Lee"]}]}
                """))
        #expect(leads.map(\.id) == ["14"])
        #expect(leads.map(answers) == [["email=ann@a.example", "full_name=Ann Lee"]])
    }

    // MARK: - LinkedIn

    @Test func `a notice and a response of LinkedIn are read`() throws {
        let notice = AdLead.linkedin(
            try json(
                """
                {"type": "LEAD_ACTION", "leadGenFormResponse": "urn:li:leadGenFormResponse:1", "leadGenForm": "urn:li:f:2",
                 "associatedEntity": "urn:li:sponsoredCreative:3", "leadAction": "CREATED", "occurredAt": 1772442000000}
                """))
        #expect(notice.map(\.id) == ["urn:li:leadGenFormResponse:1"])
        #expect(notice.map(\.campaign) == ["urn:li:sponsoredCreative:3"])
        let response = AdLead.linkedin(
            try json(
                """
                {"id": "r-1", "testLead": true, "formResponse": {"answers": [
                    {"questionId": 7, "answerDetails": {"textQuestionAnswer": {"answer": "ann@a.example"}}},
                    {"questionId": 8, "answerDetails": {"multipleChoiceAnswer": {"options": [1]}}}]}}
                """))
        #expect(response.map(answers) == [["7=ann@a.example"]] && response.map(\.isTest) == [true])
        let whole = AdLead.linkedin(
            try json(
                """
                {"id": "r-2", "formResponse": {
                    "answers": [{"questionId": 7, "answerDetails": {"textQuestionAnswer": {"answer": "Ann"}}},
                                {"questionId": 8, "answerDetails": {"textQuestionAnswer": {"answer": "ten"}}},
                                {"questionId": 9, "answerDetails": {"textQuestionAnswer": {"answer": "x"}}}],
                    "consentResponses": [{"consentId": 3, "accepted": true}, {"consentId": 4, "accepted": false}]},
                 "form": {"content": {"questions": [{"questionId": 7, "name": "First name", "predefinedField": "FIRST_NAME"},
                                                    {"questionId": 8, "name": "seats"}]}}}
                """))
        #expect(whole.map(answers) == [["FIRST_NAME=Ann", "seats=ten", "9=x", "consent:3=yes", "consent:4=no"]])
        #expect(AdLead.linkedin(try json("{}")).isEmpty)
    }

    // MARK: - When it was signed

    @Test(arguments: [
        (AdForm.Platform.meta, #"{"entry": [{"time": 1772442000}, {"time": 1772441999}]}"#, 1_772_441_999.0 as Double?),
        (.meta, #"{"id": "14", "created_time": "2026-03-02T09:00:00+0000"}"#, nil),
        (.linkedin, #"{"occurredAt": 1772442000000}"#, 1_772_442_000),
        (.linkedin, #"{"id": "r-1", "submittedAt": 1772442000000}"#, nil),
        (.google, #"{"lead_id": "1", "time": 1772442000}"#, nil),
    ])
    func `the time of a notice is the oldest that its platform says`(
        _ platform: AdForm.Platform, _ body: String, _ seconds: Double?
    ) throws {
        #expect(AdLead.signedAt(try json(body), by: platform)?.timeIntervalSince1970 == seconds)
    }

    @Test func `odd bodies are no leads, and nothing breaks`() throws {
        for text in [
            "null", "1", "[]", "{}", #"{"entry": 1}"#, #"{"entry": [{"changes": [1, {"value": {}}]}]}"#,
            #"{"lead_id": {"a": 1}}"#, #"{"id": [1], "formResponse": []}"#, #"{"user_column_data": {"a": 1}}"#,
        ] {
            let body = try json(text)
            #expect(
                AdLead.google(body).isEmpty && AdLead.meta(body).isEmpty && AdLead.linkedin(body).isEmpty, "\(text)")
        }
    }
}
