import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

/// A site with lead forms on ad platforms, and what a platform says to it.
struct AdSite {
    let crm: TestKernel

    init() throws {
        crm = try MagnetSite.crm(
            """
            lead_forms:
                  google-plan:
                    platform: google
                    magnet: plan
                    key: "${TRELLIS_SECRET}"
                    fields: {what_is_your_budget: budget}
                    consent: {newsletter: agree}
                  meta-plan: {platform: meta, magnet: plan, key: "${TRELLIS_SECRET}", verify_token: "${TRELLIS_ADMIN_TOKEN}"}
                  meta-fetch:
                    platform: meta
                    magnet: plan
                    key: "${TRELLIS_SECRET}"
                    access_token: "${TRELLIS_ADMIN_TOKEN}"
                    fields: {shoe_size: title}
                    consent: {newsletter: agree}
                  meta-mute: {platform: meta, magnet: plan, key: "${TRELLIS_SECRET}"}
                  linkedin-plan: {platform: linkedin, magnet: plan, key: "${TRELLIS_SECRET}"}
                  linkedin-fetch:
                    platform: linkedin
                    magnet: plan
                    key: "${TRELLIS_SECRET}"
                    access_token: "${TRELLIS_ADMIN_TOKEN}"
                    fields: {seats: budget}
                    consent: {newsletter: "consent:3"}
            """)
    }

    init(crm: TestKernel) { self.crm = crm }

    static let key = TestKernel.environment["TRELLIS_SECRET"] ?? ""
    static let token = TestKernel.environment["TRELLIS_ADMIN_TOKEN"] ?? ""

    func endpoint(_ method: Endpoint.Method) throws -> Endpoint {
        try #require(
            crm.kernel.plugins.flatMap { $0.endpoints }.first { $0.method == method && $0.path == "/webhooks/:name" })
    }

    func ask(
        _ method: Endpoint.Method, _ name: String, body: String = "", headers: [String: String] = [:],
        query: String = ""
    ) async throws -> (status: Int, text: String) {
        let endpoint = try endpoint(method)
        let request = WebRequest(
            kernel: crm.kernel, method: method.rawValue, path: "/webhooks/\(name)", parameters: ["name": name],
            query: try FormBody.query(query), queryText: query, body: Array(body.utf8), client: .none, headers: headers)
        do {
            let reply = try await endpoint(request)
            return (reply.status, reply.text.replacing("\n", with: ""))
        } catch let problem as WebProblem {
            return (problem.status, problem.description)
        }
    }

    func sign(_ body: String, _ platform: String, key: String = AdSite.key) -> [String: String] {
        platform == "meta"
            ? ["x-hub-signature-256": "sha256=" + Signature.hex(Array(body.utf8), key: key)]
            : ["x-li-signature": "hmacsha256=" + Signature.hex(Array("hmacsha256=\(body)".utf8), key: key)]
    }
}
