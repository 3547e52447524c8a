/// A request as an ``Endpoint`` sees it: read, limited and decoded.
public struct WebRequest: Sendable {
    public let kernel: Kernel
    public let method: String
    /// Without the parameters: `/offers/sales-plan`.
    public let path: String
    /// What the segments with a colon stand for.
    public var parameters: [String: String]
    /// The parameters of the address.
    public var query: WebFields
    /// The parameters as they came: `utm_source=…&utm_medium=…`.
    public let queryText: String
    /// The fields of the body.
    public var fields: WebFields
    /// The body as it came: what a signature was made over.
    public let body: [UInt8]
    /// The address the request came from, after trusted proxies.
    public let client: ClientAddress
    private let headers: [String: String]

    /// - Parameter headers: by their names in lower case.
    public init(
        kernel: Kernel, method: String, path: String, parameters: [String: String] = [:],
        query: WebFields = WebFields(),
        queryText: String = "",
        fields: WebFields = WebFields(), body: [UInt8] = [], client: ClientAddress, headers: [String: String] = [:]
    ) {
        self.kernel = kernel
        self.method = method
        self.path = path
        self.parameters = parameters
        self.query = query
        self.queryText = queryText
        self.fields = fields
        self.body = body
        self.client = client
        self.headers = headers
    }

    /// The value of a segment of the path; empty where the path has none of that name.
    public subscript(_ parameter: String) -> String { parameters[parameter] ?? "" }

    /// A header by its name in any case; several of one name are joined by commas.
    public func header(_ name: String) -> String? { headers[name.lowercased()] }

    public func cookie(_ name: String) -> String? {
        header("cookie")?.split(separator: ";").lazy.map { $0.trimmingPrefix { $0 == " " } }
            .first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// Whether the sender is a program that wants JSON rather than a person with a browser.
    public var wantsJSON: Bool {
        header("content-type")?.hasPrefix("application/json") == true
            || header("accept")?.hasPrefix("application/json") == true
    }

    /// How the visitor came to this page.
    public var arrival: Arrival {
        Arrival(landingPage: address(query: queryText), referrer: header("referer"))
    }

    /// The whole address of the page, as this site calls itself.
    public func address(query: String) -> String {
        kernel.config.site.site.baseURL + path + (query.isEmpty ? "" : "?\(query)")
    }

    /// What proves a consent that is given with this request.
    ///
    /// - Parameter page: where the person read what they agree to; without it the first segment of the path, because
    ///   what follows may be the token of a link.
    public func proof(page: String? = nil) -> ConsentProof {
        ConsentProof(
            page: page ?? kernel.config.site.site.baseURL + "/" + (path.split(separator: "/").first ?? ""),
            network: client.network,
            agent: header("user-agent").map(TextCleaning.cleaned))
    }
}
