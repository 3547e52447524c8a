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
}
