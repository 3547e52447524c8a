import Foundation
import TrellisKernel

/// Files that are written by themselves: each an appointment that makes the next.
struct ExportSchedule {
    let audiences: Audiences
    let tx: Transaction

    static let kind = "audiences.export_due"

    /// Makes the first appointment of each audience with `export:`; one that is made stays as it is.
    func plan() throws {
        for audience in audiences.inOrder {
            guard let export = audience.value.export else { continue }
            let last = try String.fetchOne(
                tx.db, sql: "SELECT max(at) FROM audiences_exports WHERE audience = ?", arguments: [audience.name])
            let due = last.flatMap { Timestamp.date($0) }.map { $0 + Double(export.every.seconds) } ?? tx.now
            try plan(audience.name, at: max(due, tx.now))
        }
    }

    private func plan(_ audience: String, at due: Date) throws {
        try tx.schedule(
            ExportSchedule.kind,
            forEach: """
                SELECT 'audiences export ' || :audience AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id,
                       json_object('audience', :audience) AS body
                """, arguments: ["audience": audience, "due": Timestamp.text(due)])
    }

    /// Writes what is due. What is refused is an event with the reason, and is tried again at the next appointment.
    func run() throws {
        let due = try String.fetchAll(
            tx.db, sql: "SELECT DISTINCT json_extract(body, '$.audience') FROM batch WHERE kind = ?",
            arguments: [ExportSchedule.kind])
        for audience in audiences.inOrder where due.contains(audience.name) {
            guard let export = audience.value.export else { continue }
            let platforms = export.platforms.isEmpty ? audience.value.platforms : export.platforms
            for platform in platforms.compactMap({ Platform.named($0.value) }) {
                try write(audience, platform, export)
            }
            try letGo(of: audience, export)
            try plan(audience.name, at: tx.now + Double(max(export.every.seconds, 60)))
        }
    }

    private func write(
        _ audience: Audiences.Audience, _ platform: Platform, _ settings: AudienceExportSettings
    ) throws {
        let place = folder(settings)
        let day = Timestamp.text(tx.now).prefix(16).filter { $0 != ":" }.replacing(" ", with: "T")
        let export = Export(
            audience: audience, audiences: audiences, platform: platform,
            isDifference: settings.isDifference && !platform.isOfCompanies, hasFiles: settings.isFolder,
            path: settings.isFolder ? "\(place)/\(audience.name)-\(platform.name)-\(day).csv" : settings.to.value)
        do {
            if settings.isFolder { try make(place) }
            let outcome = try refusable { try export.write(tx) }
            if !settings.isFolder { try Delivery(webhook: settings.to.value, export: export, tx: tx).order(outcome) }
        } catch let refusal as KernelError {
            // A full disk, or a folder that is another's, is no fault of the event: the next appointment tries again.
            let reason: String
            switch refusal {
            case .data(let text): reason = text
            case .folderNotWritable, .folderMissing, .cannotCreate, .diskError, .usage: reason = refusal.description
            default: throw refusal
            }
            try tx.emit(
                "audience.export_refused",
                forEach: """
                    SELECT NULL AS lead_id, NULL AS cause_id,
                           json_object('audience', :audience, 'platform', :platform, 'reason', :reason) AS body
                    """, arguments: ["audience": audience.name, "platform": platform.name, "reason": reason])
        }
    }

    /// Deletes the files in the folder that are older than they are kept.
    private func letGo(of audience: Audiences.Audience, _ settings: AudienceExportSettings) throws {
        guard settings.isFolder, let keep = settings.keep else { return }
        let paths = try String.fetchAll(
            tx.db,
            sql: """
                SELECT file FROM audiences_exports WHERE audience = :audience AND kind IN ('full', 'difference')
                GROUP BY file HAVING max(at) < :limit
                """,
            arguments: ["audience": audience.name, "limit": Timestamp.text(tx.now - Double(keep.seconds))])
        let place = Publication.absolute(folder(settings))
        for path in paths where (path as NSString).deletingLastPathComponent == place {
            for file in [path, Export.removalPath(path)] { try? FileManager.default.removeItem(atPath: file) }
        }
    }

    private func folder(_ settings: AudienceExportSettings) -> String {
        tx.path(settings.isFolder ? String(settings.to.value.dropLast()) : "exports")
    }

    private func make(_ folder: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw KernelError.folderNotWritable(folder)
        }
    }

    /// At the start of a worker: finishes what the last one committed and had no time to rename, and removes what it
    /// never committed.
    func tidyUp() throws {
        try Publication.finish(tx)
        for audience in audiences.inOrder {
            guard let export = audience.value.export else { continue }
            let unfinished = try Bool.fetchOne(tx.db, sql: "SELECT EXISTS (SELECT 1 FROM audiences_unpublished)")
            if unfinished == false { Publication.sweep(folder(export), of: audience.name) }
        }
    }

    /// Runs what may be refused so that a refusal undoes it and nothing else.
    private func refusable<T>(_ body: () throws -> T) throws -> T {
        var result: Result<T, any Error>?
        try tx.db.inSavepoint {
            do {
                result = .success(try body())
                return .commit
            } catch {
                result = .failure(error)
                return .rollback
            }
        }
        guard let result else { throw KernelError.data("The export did not run.") }
        return try result.get()
    }
}
