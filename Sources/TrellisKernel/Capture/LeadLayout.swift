/// The columns of `leads` that a draft may carry, with what each takes. Made once at boot; every draft points at it.
public final class LeadLayout: Sendable {
    /// How the text of a form, a CSV cell or a command becomes the value of a column.
    enum Kind: Sendable {
        case email, phone, country, stage
        case field(CustomField.Kind)

        var isNumber: Bool {
            switch self {
            case .field(.integer), .field(.real): true
            default: false
            }
        }

        var isDay: Bool {
            switch self {
            case .field(.date), .field(.time): true
            default: false
            }
        }
    }

    struct Column: Sendable {
        let name: String
        let kind: Kind
        let oneOf: Set<String>
    }

    let columns: [Column]
    private let indexes: [String: Int]
    let stages: Set<String>
    let defaultCountry: CountryCode?
    let email: Int
    let phone: Int
    let externalID: Int
    let country: Int
    let stage: Int
    let createdAt: Int
    let captureSQL: CaptureSQL

    /// Set by the kernel, never by whoever proposes a lead.
    static let keptBack: Set<String> = ["id", "updated_at", "account_id", "contact_id"]

    init(_ table: [TableColumn], site: SiteSettings) {
        let fields = Dictionary(site.leads.fields.map { ($0.name, $0.value) }) { first, _ in first }
        columns = table.filter { !LeadLayout.keptBack.contains($0.name) }.map { column in
            let kind: Kind =
                switch column.name {
                case "email": .email
                case "phone": .phone
                case "country": .country
                case "stage": .stage
                case "created_at": .field(.time)
                case "employees": .field(.integer)
                default:
                    .field(
                        fields[column.name]?.kind
                            ?? (column.type == "INTEGER" ? .integer : column.type == "REAL" ? .real : .text))
                }
            return Column(name: column.name, kind: kind, oneOf: Set(fields[column.name]?.oneOf ?? []))
        }
        indexes = Dictionary(columns.enumerated().map { ($1.name, $0) }) { first, _ in first }
        stages = Set(site.leads.allStages)
        defaultCountry = site.leads.defaultCountry.flatMap(CountryCode.init)
        email = indexes["email"] ?? 0
        phone = indexes["phone"] ?? 0
        externalID = indexes["external_id"] ?? 0
        country = indexes["country"] ?? 0
        stage = indexes["stage"] ?? 0
        createdAt = indexes["created_at"] ?? 0
        captureSQL = CaptureSQL(columns: columns.map(\.name))
    }

    public var names: [String] { columns.map(\.name) }

    func index(of name: String) -> Int? { indexes[name] }
}
