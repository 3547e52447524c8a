import TrellisKernel

/// How a platform wants a telephone number written before it is hashed: the digits of E.164, with the plus or without.
enum PhoneRule: String, Sendable, CaseIterable {
    case plus, digits

    /// The number as it is to be hashed. Nil for what is no number, or a national one of an unknown country.
    func normalised(_ text: String, country: String? = nil) -> String? {
        guard let number = PhoneNumber(text, country: country.flatMap { CountryCode($0) })?.e164 else { return nil }
        return self == .plus ? number : String(number.dropFirst())
    }
}
