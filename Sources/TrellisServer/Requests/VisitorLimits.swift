import Foundation
import TrellisKernel

/// How often one visitor may come: for pages, and for forms. A stop keeps what is left beside the database, and the
/// next start goes on with it; after a crash nobody knows, and each visitor finds half.
///
/// The file holds no addresses but hashes under the secret of the site, and is gone once it is read.
final class VisitorLimits: Sendable {
    private let requests: RateLimit
    private let forms: RateLimit
    private let path: String

    init(config: Config) {
        let (limits, secret) = (config.site.server.limits, config.site.site.secret ?? "")
        let mark: @Sendable (String) -> String = { visitor in
            String(Signature.hex(Array("visitor.\(visitor)".utf8), key: secret).prefix(32))
        }
        requests = RateLimit(perMinute: limits.requestsPerMinute, mark: mark)
        forms = RateLimit(perMinute: limits.formsPerMinute, mark: mark)
        path = config.databasePath + "-limits"
    }

    /// Takes a token of a visitor. Nil where there was one; otherwise the seconds until there is.
    func wait(for visitor: String, isForm: Bool) -> Int? {
        (isForm ? forms : requests).wait(for: visitor)
    }

    /// Goes on with what the process before this one left.
    func resume(isAfterCrash: Bool, now: Date) {
        let data = FileManager.default.contents(atPath: path)
        try? FileManager.default.removeItem(atPath: path)
        guard !isAfterCrash else { return [requests, forms].forEach { $0.startHalfFull() } }
        let lines = String(decoding: data ?? Data(), as: UTF8.self).split(separator: "\n")
        guard let first = lines.first, let at = Timestamp.date(String(first)) else { return }
        var left = ["requests": [String: Double](), "forms": [String: Double]()]
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard words.count == 3, let tokens = Double(words[2]), tokens.isFinite else { continue }
            left[String(words[0])]?[String(words[1])] = tokens
        }
        requests.restore(left["requests"] ?? [:], ago: now.timeIntervalSince(at))
        forms.restore(left["forms"] ?? [:], ago: now.timeIntervalSince(at))
    }

    /// Writes what is left: the time, then a line per bucket that is not full. Where it cannot be written, the next
    /// start finds every bucket full.
    func keep(now: Date) {
        func lines(_ name: String, _ limit: RateLimit) -> [String] {
            limit.left().map { "\(name) \($0.key) \($0.value)" }
        }
        let text = [Timestamp.text(now)] + lines("requests", requests) + lines("forms", forms)
        _ = FileManager.default.createFile(
            atPath: path, contents: Data(text.joined(separator: "\n").utf8), attributes: [.posixPermissions: 0o600])
    }
}
