import TrellisKernel

/// Why a magnet does not take an address: one of its `refuse`, or that no mail of ours reaches it.
struct Refusal: Sendable, Hashable {
    /// What the words call it: `refused_NAME`.
    let name: String

    /// A relay that does not offer SMTPUTF8 carries ASCII alone before the @ (RFC 6531), and mails are written for
    /// every relay.
    static let notASCII = Refusal(name: "not_ascii")

    /// For the quarantine, where somebody of the house reads it.
    var reason: String {
        self == .notASCII
            ? "no mail reaches the address: the part before the @ is not ASCII"
            : "the magnet refuses such an address: \(name)"
    }
}

extension MagnetSettings.Magnet {
    /// Why an address is not taken; nil where it is. What is known of it is asked for only where something is refused.
    ///
    /// - Parameters:
    ///   - isOnPage: whether the person has the page after the form before them, where `deliver: page` hands over.
    ///   - flags: ``AddressFlags`` of the address.
    func refusal(of email: String, isOnPage: Bool = true, flags: () throws -> Set<MagnetSettings.AddressFlag>) throws
        -> Refusal?
    {
        let flags = refuse.isEmpty ? [] : try flags()
        if let flag = refuse.first(where: { flags.contains($0) }) { return Refusal(name: flag.rawValue) }
        // Only what is mailed needs an address that mail reaches.
        guard deliver == .email || optIn == .double || !isOnPage else { return nil }
        return email.prefix { $0 != "@" }.utf8.allSatisfy { $0 < 0x80 } ? nil : .notASCII
    }
}
