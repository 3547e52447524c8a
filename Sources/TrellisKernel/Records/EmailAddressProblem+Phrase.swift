extension EmailAddressProblem {
    /// What is wrong, for a visitor.
    public var phrase: Phrase {
        switch self {
        case .empty: Phrase("email_empty")
        case .noAtSign: Phrase("email_no_at")
        case .severalAtSigns(let count): Phrase("email_many_ats", ["count": String(count)])
        case .lookalikeAtSign: Phrase("email_wide_at")
        case .noLocalPart: Phrase("email_no_name")
        case .noDomain: Phrase("email_no_domain")
        case .addressTooLong(let octets): tooLong("email_too_long", octets, EmailLimit.address)
        case .localPartTooLong(let octets): tooLong("email_name_too_long", octets, EmailLimit.localPart)
        case .domainTooLong(let octets): tooLong("email_domain_too_long", octets, EmailLimit.domain)
        case .whiteSpace: Phrase("email_space")
        case .forbiddenCharacter(let codePoint):
            Phrase("email_character", ["character": EmailAddressProblem.name(codePoint)])
        case .misplacedDot: Phrase("email_dot")
        case .localPartStartsWithHyphen: Phrase("email_hyphen")
        case .quotedLocalPart: Phrase("email_quoted")
        case .comment: Phrase("email_comment")
        case .addressLiteral: Phrase("email_literal")
        case .domainHasOneLabel: Phrase("email_one_label")
        case .topLabelIsNumber: Phrase("email_number")
        case .labelEmpty(let position): Phrase("email_label_empty", ["part": String(position)])
        case .labelTooLong(let octets, let position):
            Phrase(
                "email_label_too_long",
                ["part": String(position), "count": String(octets), "most": String(EmailLimit.label)])
        case .labelHyphen(let position): Phrase("email_label_hyphen", ["part": String(position)])
        case .labelNotInternational(let position): Phrase("email_label_letters", ["part": String(position)])
        }
    }

    private func tooLong(_ key: String, _ octets: Int, _ most: Int) -> Phrase {
        Phrase(key, ["count": String(octets), "most": String(most)])
    }
}
