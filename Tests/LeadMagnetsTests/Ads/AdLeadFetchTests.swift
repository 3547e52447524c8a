import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

/// What a platform only tells of is fetched.
@Suite struct AdLeadFetchTests {
    private let site: AdSite
    private var crm: TestKernel { site.crm }

    init() throws {
        site = try AdSite()
    }

    private static let notice =
        #"{"entry": [{"changes": [{"field": "leadgen", "value": {"leadgen_id": 4711, "form_id": 5, "page_id": 9}}]}]}"#

    private func answers(_ more: String = "") -> [UInt8] {
        Array(
            """
            {"id": "4711", "form_id": "5", "field_data": [
              {"name": "email", "values": ["ann@a.example"]}, {"name": "phone_number", "values": ["+49 30 1234567"]},
              {"name": "shoe_size", "values": ["Boss"]}, {"name": "agree", "values": ["yes"]}]}
            """.utf8)
    }

    private func fetch(_ answer: @escaping @Sendable (String, [String: String]) throws -> WebReader.Answer) async throws
    {
        let chore = try #require(crm.kernel.plugins.flatMap { $0.chores }.first { $0.name == "fetch-leads" })
        try await chore.run(on: crm.kernel, web: WebReader { try answer($0, $1) })
    }

    @Test func `what Meta only tells of is fetched, with the token in a header, and is a lead with all it typed`()
        async throws
    {
        let body = AdLeadFetchTests.notice
        #expect(
            try await site.ask(.post, "meta-fetch", body: body, headers: site.sign(body, "meta")) == (
                200, #"{"taken":1}"#
            ))
        #expect(try crm.rows("SELECT id FROM magnets_quarantine") == [])
        #expect(try crm.rows("SELECT platform, platform_id, form FROM magnets_fetches") == ["meta|4711|meta-fetch"])
        let body200 = answers()
        try await fetch { url, headers in
            #expect(url == "https://graph.facebook.com/v23.0/4711?fields=id,form_id,field_data")
            #expect(headers == ["authorization": "Bearer \(AdSite.token)"])
            return .init(status: 200, body: body200)
        }
        #expect(
            try crm.rows("SELECT email, phone, title, campaign FROM leads") == ["ann@a.example|+49301234567|Boss|5"])
        #expect(try crm.rows("SELECT channel FROM touches") == ["paid_social"])
        #expect(try crm.rows("SELECT purpose, state, text FROM consents") == ["newsletter|granted|agree"])
        #expect(try crm.rows("SELECT lead_id FROM magnets_platform_leads") == ["1"])
        #expect(try crm.rows("SELECT * FROM magnets_fetches") == [])
        // Told of once more, nothing is asked again.
        _ = try await site.ask(.post, "meta-fetch", body: body, headers: site.sign(body, "meta"))
        try await fetch { _, _ in throw WebReaderProblem("asked again") }
        #expect(try crm.rows("SELECT * FROM magnets_fetches") == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `where Meta refuses it is asked later and later, stands in the status, and goes into quarantine`()
        async throws
    {
        let body = AdLeadFetchTests.notice
        _ = try await site.ask(.post, "meta-fetch", body: body, headers: site.sign(body, "meta"))
        let refusal = Array(#"{"error": {"message": "Error validating access token", "code": 190}}"#.utf8)
        var waits: [String] = []
        for attempt in 1...16 {
            try await fetch { _, _ in .init(status: 400, body: refusal) }
            waits += try crm.rows(
                "SELECT (julianday(next_at) - julianday('\(Timestamp.text(crm.clock.clock.now()))')) * 1440 FROM magnets_fetches"
            ).map { String(Int((Double($0) ?? 0).rounded())) }
            if attempt == 3 {
                #expect(
                    try crm.rows("SELECT stop, subject, reason FROM kernel_stops") == [
                        "lead not fetched|meta-fetch 4711|meta answered 400: Error validating access token"
                    ])
            }
            crm.clock.advance(by: "6 hours")
        }
        #expect(waits == ["1", "2", "4", "8", "16", "32", "64", "128", "256"] + Array(repeating: "360", count: 6))
        #expect(try crm.rows("SELECT * FROM magnets_fetches") == [])
        #expect(
            try crm.rows("SELECT magnet, reasons FROM magnets_quarantine") == [
                "plan|meta answered 400: Error validating access token: fetch lead 4711 there and import it"
            ])
        // What somebody fetched by hand and sent on is taken in, and is held no more.
        let full = String(decoding: answers(), as: UTF8.self)
        _ = try await site.ask(.post, "meta-fetch", body: full, headers: site.sign(full, "meta"))
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@a.example"])
        #expect(try crm.rows("SELECT * FROM magnets_quarantine") == [])
    }

    @Test func `what LinkedIn only tells of is fetched by its own version, with the names of the questions`()
        async throws
    {
        let id = "a9a29e52-c0a3-42e3-8af1-2fc83b697003-4"
        let body =
            #"{"type": "LEAD_ACTION", "leadGenFormResponse": "urn:li:leadGenFormResponse:\#(id)", "leadAction": "CREATED"}"#
        let signed = site.sign(body, "linkedin")
        #expect(try await site.ask(.post, "linkedin-fetch", body: body, headers: signed) == (200, #"{"taken":1}"#))
        let answer = Array(
            """
            {"id": "\(id)", "formResponse": {
                "answers": [{"questionId": 1, "answerDetails": {"textQuestionAnswer": {"answer": "ann@a.example"}}},
                            {"questionId": 2, "answerDetails": {"textQuestionAnswer": {"answer": "12"}}}],
                "consentResponses": [{"consentId": 3, "accepted": true}]},
             "form": {"content": {"questions": [{"questionId": 1, "predefinedField": "EMAIL"}, {"questionId": 2, "name": "seats"}]}}}
            """.utf8)
        try await fetch { url, headers in
            #expect(
                url
                    == "https://api.linkedin.com/rest/leadFormResponses/\(id)?fields=id,testLead,formResponse,form:(content)"
            )
            #expect(
                headers == [
                    "authorization": "Bearer \(AdSite.token)", "linkedin-version": "202606",
                    "x-restli-protocol-version": "2.0.0",
                ])
            return .init(status: 200, body: answer)
        }
        #expect(try crm.rows("SELECT email, budget FROM leads") == ["ann@a.example|12"])
        #expect(try crm.rows("SELECT purpose, state, text FROM consents") == ["newsletter|granted|consent:3"])
        #expect(
            try crm.rows("SELECT platform_id, lead_id FROM magnets_platform_leads") == [
                "urn:li:leadGenFormResponse:\(id)|1"
            ])
        // Told of once more, nothing is asked again.
        _ = try await site.ask(.post, "linkedin-fetch", body: body, headers: signed)
        try await fetch { _, _ in throw WebReaderProblem("asked again") }
        #expect(try crm.rows("SELECT * FROM magnets_fetches") == [])
    }

    @Test func `an id that would be another address is asked for nowhere`() async throws {
        let body = #"{"leadGenFormResponse": "urn:li:leadGenFormResponse:1/../../people?x=", "leadAction": "CREATED"}"#
        _ = try await site.ask(.post, "linkedin-fetch", body: body, headers: site.sign(body, "linkedin"))
        #expect(try crm.rows("SELECT * FROM magnets_fetches") == [])
        #expect(try crm.rows("SELECT count(*) FROM magnets_quarantine") == ["1"])
    }
}
