extension MailTemplate {
    /// Who a mail is from, or where answers to it go.
    public enum Sender: Sendable, Hashable {
        case address(MailAddress)
        /// The rep who has the lead; where nobody has it, the site's own sender.
        case owner

        /// `owner`, or an address as ``MailAddress/init(parsing:)`` reads it; nil for anything else.
        init?(_ text: String) {
            if text == "owner" {
                self = .owner
                return
            }
            guard let address = MailAddress(parsing: text) else { return nil }
            self = .address(address)
        }

        /// - Parameter values: those of the mail.
        /// - Returns: nil where nobody has the lead, or by an address that no header can hold.
        func address(_ values: [String: String]) -> MailAddress? {
            switch self {
            case .address(let address): return address
            case .owner:
                guard let email = values[Sender.ownerEmail] else { return nil }
                let owner = MailAddress(name: values[Sender.ownerName] ?? "", address: email)
                return (try? owner.header("From")) == nil ? nil : owner
            }
        }

        /// The values by which a plugin says who has a lead, in answer to ``TemplateValues``. No column is called so,
        /// for a name with a dot is none: what a form brings makes nobody a sender.
        static let ownerName = "owner.name"
        static let ownerEmail = "owner.email"
    }
}
