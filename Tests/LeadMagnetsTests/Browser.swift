import Testing
import TrellisKernel
import TrellisTesting

/// A visitor, without the browser: opens pages by their addresses, keeps what a form carries along, sends it back.
struct Browser {
    let crm: TestKernel
    let endpoints: [Endpoint]
    var client = ClientAddress("203.0.113.7") ?? .none
    /// By their names in lower case; with those of each request.
    var headers = ["user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"]

    init(_ crm: TestKernel, endpoints: [Endpoint]? = nil) {
        self.crm = crm
        self.endpoints = endpoints ?? crm.kernel.plugins.flatMap { $0.endpoints }
    }

    // MARK: - Requests

    /// Opens a page of the site by its path or its whole address.
    ///
    /// - Parameter method: `HEAD` asks the endpoint of `GET`, as a server does.
    func get(_ address: String, method: String = "GET", _ headers: [String: String] = [:]) async throws -> WebReply {
        try await send(.get, address, method: method, headers: headers)
    }

    func post(
        _ address: String, _ fields: [(String, String)] = [], _ headers: [String: String] = [:]
    ) async throws -> WebReply {
        try await send(.post, address, method: "POST", fields: fields, headers: headers)
    }

    /// A form ready to be sent, from wherever.
    func prepared(
        _ address: String, _ fields: [(String, String)], _ headers: [String: String] = [:]
    ) throws -> @Sendable () async throws -> WebReply {
        let (endpoint, request) = try request(.post, address, method: "POST", fields: fields, headers: headers)
        return { try await endpoint(request) }
    }

    private func send(
        _ method: Endpoint.Method, _ address: String, method name: String, fields: [(String, String)] = [],
        headers: [String: String]
    ) async throws -> WebReply {
        let (endpoint, request) = try request(method, address, method: name, fields: fields, headers: headers)
        return try await endpoint(request)
    }

    private func request(
        _ method: Endpoint.Method, _ address: String, method name: String, fields: [(String, String)],
        headers: [String: String]
    ) throws -> (Endpoint, WebRequest) {
        let parts = address.replacing(crm.kernel.config.site.site.baseURL, with: "").split(
            separator: "?", maxSplits: 1)
        let (path, query) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        for endpoint in endpoints where endpoint.method == method {
            guard let parameters = Browser.parameters(of: path, endpoint.path) else { continue }
            let request = WebRequest(
                kernel: crm.kernel, method: name, path: path, parameters: parameters,
                query: try FormBody.query(query), queryText: query,
                fields: WebFields(fields.map { WebFields.Pair(name: $0.0, value: $0.1) }), client: client,
                headers: self.headers.merging(headers) { _, own in own })
            return (endpoint, request)
        }
        throw WebProblem.notFound
    }

    /// What the segments with a colon stand for; nil where the path is another one.
    private static func parameters(of path: String, _ pattern: String) -> [String: String]? {
        let (given, wanted) = (path.split(separator: "/"), pattern.split(separator: "/"))
        guard given.count == wanted.count else { return nil }
        var parameters: [String: String] = [:]
        for (segment, name) in zip(given, wanted) {
            if name.hasPrefix(":") {
                parameters[String(name.dropFirst())] = String(segment)
            } else if segment != name {
                return nil
            }
        }
        return parameters
    }

    // MARK: - Forms

    /// Opens the landing page of an offer, and reads it for as long as a person does.
    func open(_ address: String, _ headers: [String: String] = [:]) async throws -> WebForm {
        let form = try WebForm(try await get(address, headers))
        crm.clock.advance(by: "3s")
        return form
    }

    /// Sends a form with what it carries along.
    func submit(
        _ form: WebForm, _ fields: KeyValuePairs<String, String>, _ headers: [String: String] = [:]
    ) async throws -> WebReply {
        try await post(form.action, form.hidden + fields.map { ($0.key, $0.value) }, headers)
    }

    /// Opens the landing page of a magnet, fills its form in and sends it.
    @discardableResult
    func fillIn(_ magnet: String, _ fields: KeyValuePairs<String, String>) async throws -> WebReply {
        try await submit(try await open("/offers/\(magnet)"), fields)
    }

    /// The page a reply leads to.
    func follow(_ reply: WebReply) async throws -> WebReply {
        #expect(reply.status == 303)
        return try await get(try #require(reply.header("location")))
    }
}

/// A form as it stands on a page.
struct WebForm {
    let action: String
    let hidden: [(String, String)]
    /// The fields a person sees.
    let fields: [PageValues]
    let values: PageValues

    init(_ reply: WebReply) throws {
        values = try #require(reply.page["form"]?.record)
        action = values.text("action")
        hidden = values.list("hidden").map { ($0.text("name"), $0.text("value")) }
        fields = values.list("fields")
    }

    var names: [String] { fields.map { $0.text("name") } }
    /// What stands in a field; nil where nothing does.
    func value(_ name: String) -> String? { fields.first { $0.text("name") == name }?["value"]?.text }
    /// `first_name: Please fill this in.`
    var errors: [String] { values.list("errors").map { "\($0.text("id")): \($0.text("error"))" } }
    var problem: String? { values["problem"]?.text }
    /// The boxes that are ticked.
    var ticked: [String] { values.list("consents").filter { $0["checked"] == true }.map { $0.text("name") } }
}

// MARK: - Reading what was answered

extension WebReply {
    /// The first header of this name.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The name of the template.
    var pageName: String? {
        guard case .page(let name, _) = body else { return nil }
        return name
    }

    /// The values of the page; none where it is no page.
    var page: PageValues {
        guard case .page(_, let values) = body else { return [:] }
        return values
    }

    var text: String {
        guard case .bytes(let bytes) = body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    var json: JSONValue? { JSONValue(parsing: text) }
}

extension PageValue {
    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    var record: PageValues? {
        guard case .record(let values) = self else { return nil }
        return values
    }
}

extension PageValues {
    func text(_ name: String) -> String { self[name]?.text ?? "" }

    func list(_ name: String) -> [PageValues] {
        guard case .list(let list) = self[name] else { return [] }
        return list
    }
}

extension TestKernel {
    /// The link to a page of the site in the newest mail to an address; nil where it has none.
    func link(_ page: String, to recipient: String) -> String? {
        transport.sent.last { $0.recipient == recipient }.flatMap { mail in
            mail.text.split { " \n()".contains($0) }.first { $0.contains("https://crm.acme.example/\(page)/") }.map(
                String.init)
        }
    }
}
