import CTrellisResolver
import Dispatch

/// The part of an address after the @, as the name servers know it.
public enum MailDomain {
    /// Whether it takes mail: by its MX records, or its address records where it has none (RFC 5321, 5.1; a domain may
    /// say that it takes none, RFC 7505). Nil where nobody could say.
    public static func takesMail(_ domain: String) async -> Bool? {
        await withCheckedContinuation { continuation in
            // The question blocks for seconds: on a thread that nobody else needs.
            DispatchQueue.global(qos: .utility).async {
                let verdict = trellis_takes_mail(domain)
                continuation.resume(returning: verdict < 0 ? nil : verdict == 1)
            }
        }
    }

    /// The TXT records of a name, each as one text; empty where it has none. Nil where nobody could say.
    public static func texts(at name: String) async -> [String]? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                let bytes = [CChar](unsafeUninitializedCapacity: textBytesMax) { buffer, count in
                    count = Int(trellis_texts(name, buffer.baseAddress, Int32(textBytesMax)))
                    if count < 0 { (count, buffer[0]) = (1, -1) }
                }
                guard bytes != [-1] else { return continuation.resume(returning: nil) }
                let records = bytes.split(separator: 0, omittingEmptySubsequences: true)
                continuation.resume(
                    returning: records.map { String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self) })
            }
        }
    }

    /// As much as one answer of a name server holds.
    private static let textBytesMax = 65_536
}
