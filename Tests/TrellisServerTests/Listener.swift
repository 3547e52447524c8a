import Foundation
import Hummingbird
import HummingbirdTesting
import LeadMagnets
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

/// A listener of the server, asked without a network. Whoever asks calls it localhost, and has no address. What was
/// used up of a limit stays so, however long a busy machine takes.
struct Listener {
    private let application: any ApplicationProtocol
    /// The file is closed when nobody holds its kernel any more. It is not touched here.
    nonisolated(unsafe) private let crm: TestKernel

    /// Pages, forms and links.
    static func open(_ crm: TestKernel, isReady: Bool = true) throws -> Listener {
        Listener(application: try server(crm.kernel).publicListener(isReady: { isReady }), crm: crm)
    }

    /// The same of another kernel on the file of `crm`.
    static func open(_ kernel: Kernel, of crm: TestKernel) throws -> Listener {
        Listener(application: try server(kernel).publicListener(), crm: crm)
    }

    /// The API and the figures.
    ///
    /// - Parameter program: what answers questions in SQL.
    static func admin(_ crm: TestKernel, program: [String] = ["/bin/false"]) throws -> Listener {
        Listener(application: try server(crm.kernel, program: program).adminListener(), crm: crm)
    }

    private static func server(_ kernel: Kernel, program: [String] = ["/bin/false"]) throws -> WebServer {
        let start = ContinuousClock.now
        return try WebServer(kernel, program: program, limitClock: { start })
    }

    func get(_ path: String, _ headers: HTTPFields = [:]) async throws -> Answer {
        try await ask(.get, path, headers)
    }

    /// Sends a form; without fields, a button alone.
    func post(_ path: String, _ body: String = "", _ headers: HTTPFields = [:]) async throws -> Answer {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "application/x-www-form-urlencoded" }
        return try await ask(.post, path, headers, body: body)
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ headers: HTTPFields = [:], body: String? = nil
    ) async throws -> Answer {
        let response = try await application.test(.router) { client in
            try await client.execute(
                uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        }
        return Answer(
            status: response.status.code, headers: response.headers, body: String(buffer: response.body))
    }
}

struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let body: String

    var location: String? { headers[.location] }
    var json: JSONValue? { JSONValue(parsing: body) }

    /// The first heading of a page.
    var heading: String? { body.firstMatch(of: #/<h1>([^<]*)<\/h1>/#).map { String($0.1) } }

    /// The forms of a page, in their order.
    var forms: [PageForm] {
        body.matches(of: #/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/#.dotMatchesNewlines()).map { form in
            PageForm(
                action: String(form.1),
                fields: form.2.matches(of: #/<(?:input|button)[^>]*>/#).compactMap { Answer.field($0.0) })
        }
    }

    /// What an input or a button sends; nil for a box without a tick, and for a button without a name.
    private static func field(_ element: Substring) -> (name: String, value: String)? {
        func attribute(_ name: String) -> String? {
            element.range(of: " \(name)=\"").map { begin in
                String(element[begin.upperBound...].prefix { $0 != "\"" }).replacing("&amp;", with: "&")
            }
        }
        guard let name = attribute("name") else { return nil }
        let isBox = attribute("type") == "checkbox"
        if isBox, !element.contains(" checked") { return nil }
        return (name, attribute("value") ?? (isBox ? "on" : ""))
    }
}

/// A form as it stands on a page.
struct PageForm {
    let action: String
    /// What it sends as it is.
    let fields: [(name: String, value: String)]

    /// Its body, with these fields filled in.
    func body(_ filled: KeyValuePairs<String, String> = [:]) -> String {
        let kept = fields.filter { field in !filled.contains { $0.key == field.name } }
        return (kept.map { ($0.name, $0.value) } + filled.map { ($0.key, $0.value) }).map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
        }.joined(separator: "&")
    }
}
