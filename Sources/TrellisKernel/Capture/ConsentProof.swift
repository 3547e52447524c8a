/// What shows that a person agreed: the page, the network and the browser (GDPR article 7(1)). Who, when and to which
/// words stand in the row of `consents` itself.
public struct ConsentProof: Sendable, Hashable {
    /// The page on which the box was ticked or the button pressed, without its parameters.
    public var page: String?
    /// The visitor's network, not their address: see ``WebRequest/network``.
    public var network: String?
    /// The browser as it names itself; cut at 300 characters.
    public var agent: String?

    static let agentLengthMax = 300

    public init(page: String? = nil, network: String? = nil, agent: String? = nil) {
        self.page = page
        self.network = network
        self.agent = agent.map { String($0.prefix(ConsentProof.agentLengthMax)) }
    }
}
