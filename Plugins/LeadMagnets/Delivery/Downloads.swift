import Foundation
import TrellisKernel

/// Files behind sealed links that expire. Each fetch is counted; it scores nothing, because mail scanners fetch too.
struct Downloads: Sendable {
    let offers: Offers

    var endpoints: [Endpoint] {
        [Endpoint(.get, "/download/:token", download)]
    }

    private func download(_ request: WebRequest) async throws -> WebReply {
        let parts = try offers.parts(ofLink: request, purpose: "download", magnetAt: 0)
        guard parts.count == 2, let name = parts[0].scalarText, let leadID = parts[1].scalarText.flatMap(Int64.init)
        else {
            throw WebProblem.notFound
        }
        let offer = try offers.offer(name, request)
        guard let asset = offer.magnet.value.asset else { throw WebProblem.notFound }
        // A player asks for a file in many parts: that is one fetch.
        let isFirstPart = request.header("range").map { $0.hasPrefix("bytes=0-") } ?? true
        if request.method == "GET", isFirstPart {
            await request.kernel.writeAside(origin: "form:\(name)") { tx in
                try tx.db.cachedStatement(
                    sql: """
                        INSERT INTO magnets_downloads (lead_id, magnet, fetches, first_at, last_at) VALUES (:lead, :magnet, 1, :now, :now)
                        ON CONFLICT (lead_id, magnet) DO UPDATE SET fetches = fetches + 1, last_at = excluded.last_at
                        """
                ).execute(arguments: ["lead": leadID, "magnet": name, "now": tx.stamp])
            }
        }
        let config = request.kernel.config
        // A file named by its whole path was meant to lie elsewhere.
        let folder = asset.value.hasPrefix("/") ? nil : config.folder
        let file = WebFile(
            path: config.path(asset.value), name: offer.fileName, folder: folder, language: offer.language)
        return WebReply(body: .file(file))
    }
}
