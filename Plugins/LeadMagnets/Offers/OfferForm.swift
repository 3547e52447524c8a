import Foundation
import TrellisKernel

/// The form of an offer: which fields it asks, what stands in them, and what is wrong with them.
struct OfferForm: Sendable {
    let offer: Offer
    let token: FormToken
    /// What was typed before, or what the address of the page says.
    var typed = WebFields()
    /// Where the visitor came from, carried along until the form is sent.
    var arrival: (page: String?, referrer: String?) = (nil, nil)
    /// The code of whoever shared the link.
    var referral: String?
    /// What a lead that is known has told already.
    var known: [String: String] = [:]
    var errors: [(field: String, message: String)] = []
    /// What is wrong with the form as a whole.
    var problem: String?

    /// How many further questions a known lead is asked at a time.
    static let moreAtOnce = 2
    static let prefix = "consent_"

    /// The fields it asks: a lead that is known is asked for what is missing.
    var fields: [MagnetSettings.FormField] {
        let form = offer.magnet.value.form
        guard token.leadID != nil else {
            guard let asked = token.asked else { return form.fields }
            let more = form.more.map { MagnetSettings.FormField(name: $0, isRequired: false) }
            return (form.fields + more).filter { asked.contains($0.name.value) }
        }
        let missing = form.fields.filter { known[$0.name.value] == nil && $0.name.value != "email" }
        let more = form.more.filter { known[$0.value] == nil }.prefix(OfferForm.moreAtOnce)
        return missing + more.map { MagnetSettings.FormField(name: $0, isRequired: false) }
    }

    /// What a visitor is asked who has told some fields before, in this browser: in their place come as many of `more`,
    /// two at most. What is required is asked again, for it may be somebody else who sits there. Nil where nothing
    /// changes.
    static func asked(of form: MagnetSettings.Form, told: Set<String>) -> [String]? {
        let left = form.fields.filter { $0.isRequired || $0.name.value == "email" || !told.contains($0.name.value) }
        guard left.count < form.fields.count else { return nil }
        let more = form.more.map(\.value).filter { !told.contains($0) }
        return left.map(\.name.value) + more.prefix(min(form.fields.count - left.count, moreAtOnce))
    }

    /// - Parameter isEmbedded: whether it stands in a page of another site: its ids then begin with the name of the
    ///   magnet, for there may be several.
    func values(_ signer: LinkSigner, isEmbedded: Bool = false) -> PageValues {
        let idPrefix = isEmbedded ? "\(offer.name)-" : ""
        var hidden: [(name: String, value: String?)] = [(FormToken.field, token.sealed(signer))]
        if !isEmbedded { hidden += [("_page", arrival.page), ("_referrer", arrival.referrer), ("_ref", referral)] }
        var values: PageValues = [
            "action": .text((isEmbedded ? offer.config.site.site.baseURL : "") + "/forms/\(offer.name)"),
            "hidden": .list(
                hidden.compactMap { pair in pair.value.map { ["name": .text(pair.name), "value": .text($0)] } }),
            "fields": .list(fields.map { field($0, idPrefix) }),
            "consents": .list(consents(idPrefix)),
            "trap": .record([
                "name": .text(Screening.trap), "id": .text("\(idPrefix)trellis-\(Screening.trap)"),
                "label": .text(offer.words("form_trap")),
            ]),
            "button": .text(offer.button),
            "errors": .list(
                errors.map { error in
                    [
                        "id": .text(idPrefix + error.field), "label": .text(label(error.field)),
                        "error": .text(error.message),
                    ]
                }),
        ]
        values["problem"] = .optional(problem)
        values["note"] = .optional(note)
        return values
    }

    private var note: String? {
        switch (offer.magnet.value.optIn, offer.magnet.value.deliver) {
        case (.double, _): offer.words("form_note_double")
        case (.single, .email): offer.words("form_note_mail")
        case (.single, .page): nil
        }
    }

    private func consents(_ idPrefix: String) -> [PageValues] {
        offer.magnet.value.form.consent.map { consent in
            let name = OfferForm.prefix + consent.name
            return [
                "name": .text(name), "id": .text(idPrefix + name), "text": .text(consent.value),
                "checked": .flag(typed[name].map(OfferForm.isYes) ?? false),
            ]
        }
    }

    static func isYes(_ text: String) -> Bool { ["on", "yes", "true", "1"].contains(text.lowercased()) }

    // MARK: - Fields

    private func field(_ field: MagnetSettings.FormField, _ idPrefix: String) -> PageValues {
        let name = field.name.value
        let custom = offer.config.site.leads.fields.first { $0.name == name }?.value
        let kind = FieldKind(name: name, custom: custom)
        var values: PageValues = [
            "name": .text(name), "id": .text(idPrefix + name), "label": .text(label(name)),
            "required": .flag(field.isRequired),
            "type": .text(kind.type), "is_select": .flag(kind.type == "select"),
            "is_checkbox": .flag(kind.type == "checkbox"),
            "is_text": .flag(!["select", "checkbox"].contains(kind.type)),
        ]
        values["autocomplete"] = .optional(kind.autocomplete)
        values["inputmode"] = .optional(kind.inputMode)
        values["maxlength"] = .optional(kind.lengthMax.map(String.init))
        values["error"] = .optional(errors.first { $0.field == name }?.message)
        if let value = typed[name], !value.isEmpty {
            // A date field takes nothing but ISO 8601, whatever the language.
            values["value"] = .text(kind.type == "date" ? offer.words.dates.plain(value) : value)
            if kind.type == "checkbox" { values["checked"] = .flag(OfferForm.isYes(value)) }
        }
        if let custom, !custom.oneOf.isEmpty {
            values["options"] = .list(
                custom.oneOf.map { option in
                    [
                        "value": .text(option), "label": .text(self.option(option, of: name)),
                        "selected": .flag(typed[name] == option),
                    ]
                })
        }
        return values
    }

    /// The fields for a program that shows a form of its own.
    var described: [JSONValue] {
        fields.map { field in
            let name = field.name.value
            let custom = offer.config.site.leads.fields.first { $0.name == name }?.value
            var entries: [(key: String, value: JSONValue)] = [
                ("name", .string(name)), ("required", .bool(field.isRequired)), ("label", .string(label(name))),
                ("type", .string(FieldKind(name: name, custom: custom).type)),
            ]
            if let options = custom?.oneOf, !options.isEmpty {
                entries.append(("options", .array(options.map(JSONValue.string))))
                entries.append(("option_labels", .array(options.map { .string(option($0, of: name)) })))
            }
            return .object(entries)
        }
    }

    /// What the words say of a column, then the config, then its name.
    private func label(_ name: String) -> String {
        if let said = offer.words.named("label_\(name)") { return said }
        if let custom = offer.config.site.leads.fields.first(where: { $0.name == name })?.value.label { return custom }
        return name.prefix(1).uppercased() + name.dropFirst().replacing("_", with: " ")
    }

    private func option(_ option: String, of name: String) -> String {
        offer.words.named("option_\(name)_\(option)") ?? option.prefix(1).uppercased() + option.dropFirst()
    }
}

/// How a column is asked for: the type of its input and what browsers may fill in by themselves
/// (https://html.spec.whatwg.org/#autofill).
struct FieldKind: Sendable {
    var type = "text"
    var autocomplete: String?
    var inputMode: String?
    var lengthMax: Int?

    init(name: String, custom: CustomField?) {
        autocomplete = FieldKind.autofill[name]
        switch name {
        case "email": (type, lengthMax) = ("email", 320)
        case "phone": (type, lengthMax) = ("tel", 40)
        case "employees": (type, inputMode) = ("number", "numeric")
        default: lengthMax = 500
        }
        guard let custom else { return }
        if !custom.oneOf.isEmpty {
            (type, lengthMax) = ("select", nil)
            return
        }
        switch custom.kind {
        case .integer: (type, inputMode, lengthMax) = ("number", "numeric", nil)
        case .real: (type, inputMode, lengthMax) = ("text", "decimal", 40)
        case .boolean: (type, lengthMax) = ("checkbox", nil)
        case .date: (type, lengthMax) = ("date", nil)
        case .time, .text: break
        }
    }

    private static let autofill = [
        "email": "email", "first_name": "given-name", "last_name": "family-name", "phone": "tel",
        "company": "organization", "title": "organization-title", "country": "country-name", "city": "address-level2",
        "region": "address-level1", "postal_code": "postal-code",
    ]
}
