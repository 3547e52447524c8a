import Foundation
import TrellisKernel

/// How often one visitor may come: for pages, and for forms; and how many forms a network may send. A stop keeps what
/// is left beside the database, and the next start goes on with it; after a crash nobody knows, and everybody finds
/// half. Nothing is counted of everybody together: with that a stranger could close a form to all others.
///
/// Whoever is over the limit of an address takes nothing from its network: neighbours, and an office behind one
/// address, do not pay for each other.
///
/// The file holds no addresses but hashes under the secret of the site, and is gone once it is read.
final class VisitorLimits: Sendable {
    private let requests: RateLimit
    private let forms: RateLimit
    private let networks: RateLimit
    private let path: String
    private let clock: @Sendable () -> ContinuousClock.Instant

    /// - Parameter clock: what limits fill again by.
    init(config: Config, clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        let (limits, secret) = (config.site.server.limits, config.site.site.secret ?? "")
        let mark: @Sendable (String) -> String = { visitor in
            String(Signature.hex(Array("visitor.\(visitor)".utf8), key: secret).prefix(32))
        }
        requests = RateLimit(perMinute: limits.requestsPerMinute, mark: mark)
        forms = RateLimit(perMinute: limits.formsPerMinute, mark: mark)
        networks = RateLimit(perMinute: limits.formsPerMinuteOfNetwork, mark: mark)
        path = config.databasePath + "-limits"
        self.clock = clock
    }

    /// Each with its name in the file.
    private var all: [(name: String, limit: RateLimit)] {
        [("requests", requests), ("forms", forms), ("networks", networks)]
    }

    /// Takes a token of a visitor. Nil where there was one; otherwise the seconds until there is.
    ///
    /// - Parameter network: where the visitor is; it counts for forms.
    func wait(for visitor: String, isForm: Bool, network: String? = nil) -> Int? {
        let now = clock()
        guard isForm else { return requests.wait(for: visitor, now: now) }
        return forms.wait(for: visitor, now: now) ?? network.flatMap { networks.wait(for: $0, now: now) }
    }

    /// Goes on with what the process before this one left.
    func resume(isAfterCrash: Bool, now: Date) {
        let data = FileManager.default.contents(atPath: path)
        try? FileManager.default.removeItem(atPath: path)
        guard !isAfterCrash else { return all.forEach { $0.limit.startHalfFull(now: clock()) } }
        let lines = String(decoding: data ?? Data(), as: UTF8.self).split(separator: "\n")
        guard let first = lines.first, let at = Timestamp.date(String(first)) else { return }
        var left: [String: [String: Double]] = [:]
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard words.count == 3, let tokens = Double(words[2]), tokens.isFinite else { continue }
            left[String(words[0]), default: [:]][String(words[1])] = tokens
        }
        for (name, limit) in all { limit.restore(left[name] ?? [:], ago: now.timeIntervalSince(at), now: clock()) }
    }

    /// Writes what is left: the time, then a line per bucket that is not full. Where it cannot be written, the next
    /// start finds every bucket full.
    func keep(now: Date) {
        let lines = all.flatMap { name, limit in limit.left(now: clock()).map { "\(name) \($0.key) \($0.value)" } }
        _ = FileManager.default.createFile(
            atPath: path, contents: Data(([Timestamp.text(now)] + lines).joined(separator: "\n").utf8),
            attributes: [.posixPermissions: 0o600])
    }
}
