import TrellisKernel

/// Writes the rows of a file: values as the platform wants them, hashed where it says so. Beside each row it makes a
/// key, the hashes that identify the person, so that they can be taken off the list after the address is gone.
struct RowWriter {
    let platform: Platform
    let columns: [Platform.Column]
    /// How many columns of telephone numbers the lead has.
    let phones: Int
    let phoneRule: PhoneRule
    /// What stands before the first column.
    let prefix: [UInt8]
    /// What was written and is not yet in the file.
    var buffer: [UInt8] = []
    /// A key after another.
    var keys: [UInt8] = []
    private var scratch: [UInt8] = []
    /// The beginnings of hashes that may come twice and were written: 8 bytes of each, so that two different ones in a
    /// file of ten million are taken for one in a case of 370,000.
    private var written: Set<UInt64> = []
    /// Whether the row has a hash that no row before it had.
    private var isNew = false
    private let isEmailAlone: Bool
    private let csv = CSVWriter(safe: true)

    static let hashBytes = 32
    private static let nobody = [UInt8](repeating: 0, count: hashBytes)

    init(platform: Platform, audience: AudienceSettings.Audience, list: String?) {
        self.platform = platform
        let takesPhones = platform.phonesMax > 0 && audience.matches.contains(.phone)
        phones = takesPhones ? min(audience.phones.count, platform.phonesMax) : 0
        columns = platform.columns(
            matching: audience.matches.union(platform.isOfCompanies ? [.company] : []), phones: phones)
        phoneRule = platform.name == "tiktok" ? PhoneRule(rawValue: audience.tiktokPhone) ?? .digits : platform.phone
        prefix = Array(platform.rowPrefix.replacing("{list}", with: list ?? "-1").utf8)
        isEmailAlone = columns.count == 1 && columns[0].content == .email
    }

    /// So long is the key of a row.
    var keyBytes: Int { RowWriter.hashBytes * (1 + phones) }

    /// The SQL that reads what ``append(_:)`` takes: `lead_id`, the address, the telephone numbers, the country, the
    /// texts.
    func select(from: String, phones names: [LocatedText]) -> String {
        let numbers = names.prefix(phones).map { name -> String in ", l.\"\(name.value)\"" }.joined()
        guard !isEmailAlone else { return "SELECT l.id, l.email FROM \(from)" }
        let texts = sources.map { source -> String in
            switch source {
            case .website, .domain: ", a.domain"
            case .industry: ", coalesce(a.industry, l.industry)"
            case .company where platform.isOfCompanies: ", coalesce(a.name, l.company)"
            default: ", l.\"\(source.rawValue)\""
            }
        }.joined()
        return
            "SELECT l.id, l.email\(numbers), l.country\(texts) FROM \(from) LEFT JOIN accounts AS a ON a.id = l.account_id"
    }

    private var sources: [Platform.Source] {
        columns.compactMap { if case .text(let source, _) = $0.content { source } else { nil } }
    }

    /// What became of a row.
    enum Appended {
        case written
        /// All that identifies the person stands in rows before: there is a key and no row.
        case repeated
        /// Nothing in it identifies anybody: a key of zeros and no row.
        case refused
    }

    /// Appends a row and its key. A hash that stands in a row before is left out.
    mutating func append(_ row: Row) -> Appended {
        let (rowStart, keyStart) = (buffer.count, keys.count)
        buffer += prefix
        isNew = false
        if isEmailAlone {
            guard appendEmail(row[1]) else { return refuse(rowStart, keyStart) }
            return finish(rowStart)
        }
        var (isKnown, text, phone) = (platform.isOfCompanies, 0, 0)
        if platform.isOfCompanies { keys += RowWriter.nobody }
        let country: String? = row[2 + phones]
        for (index, column) in columns.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            switch column.content {
            case .email:
                let isAddress = appendEmail(row[1])
                if !isAddress { keys += RowWriter.nobody }
                isKnown = isKnown || isAddress
            case .phone:
                isKnown = appendPhone(row[2 + phone], country) || isKnown
                phone += 1
            case .text(_, let rule):
                appendText(
                    (row[3 + phones + text] as String?).flatMap { rule.normalised($0, country: country) }, column)
                text += 1
            case .nothing: break
            }
        }
        guard isKnown else { return refuse(rowStart, keyStart) }
        return finish(rowStart)
    }

    private mutating func finish(_ rowStart: Int) -> Appended {
        guard isNew || platform.isOfCompanies else {
            buffer.removeSubrange(rowStart...)
            return .repeated
        }
        buffer.append(10)
        return .written
    }

    /// Appends a row of a file of removals, from a key.
    mutating func appendRemoval(_ key: [UInt8]) {
        buffer += prefix
        var (phone, isFirst) = (0, true)
        for column in columns where platform.keepsAllColumns || column.content == .email || column.content == .phone {
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
            switch column.content {
            case .email: appendDigits(key.prefix(RowWriter.hashBytes))
            case .phone:
                phone += 1
                appendDigits(key.dropFirst(RowWriter.hashBytes * phone).prefix(RowWriter.hashBytes))
            default: break
            }
        }
        buffer.append(10)
    }

    /// The columns of a file of removals.
    var removalColumns: [Platform.Column] {
        columns.filter { platform.keepsAllColumns || $0.content == .email || $0.content == .phone }
    }

    // MARK: - Values

    private mutating func appendEmail(_ email: String?) -> Bool {
        guard var email else { return false }
        scratch.removeAll(keepingCapacity: true)
        guard email.withUTF8({ platform.email.append(UnsafeRawBufferPointer($0), to: &scratch) }) else { return false }
        scratch.withUnsafeBytes { AddressHash.append($0, to: &buffer, keeping: &keys) }
        if platform.email.mayBeShared(scratch) { keepOnce() } else { isNew = true }
        return true
    }

    /// Takes the digits of the last hash out of the row again where a row before it has them.
    private mutating func keepOnce() {
        let beginning = keys.suffix(RowWriter.hashBytes).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if written.insert(beginning).inserted {
            isNew = true
        } else {
            buffer.removeLast(2 * RowWriter.hashBytes)
        }
    }

    private mutating func appendPhone(_ written: String?, _ country: String?) -> Bool {
        guard var number = written.flatMap({ phoneRule.normalised($0, country: country) }) else {
            keys += RowWriter.nobody
            return false
        }
        number.withUTF8 { AddressHash.append(UnsafeRawBufferPointer($0), to: &buffer, keeping: &keys) }
        keepOnce()
        return true
    }

    private mutating func appendText(_ text: String?, _ column: Platform.Column) {
        guard var text else { return }
        text.withUTF8 { bytes in
            if column.isHashed {
                AddressHash.append(UnsafeRawBufferPointer(bytes), to: &buffer)
            } else {
                csv.appendField(bytes, to: &buffer)
            }
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private mutating func appendDigits(_ hash: ArraySlice<UInt8>) {
        guard hash.contains(where: { $0 != 0 }) else { return }
        for byte in hash {
            buffer.append(RowWriter.digits[Int(byte >> 4)])
            buffer.append(RowWriter.digits[Int(byte & 15)])
        }
    }

    private mutating func refuse(_ rowStart: Int, _ keyStart: Int) -> Appended {
        buffer.removeSubrange(rowStart...)
        keys.removeSubrange(keyStart...)
        keys += [UInt8](repeating: 0, count: keyBytes)
        return .refused
    }
}
