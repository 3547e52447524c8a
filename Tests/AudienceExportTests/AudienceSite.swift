import Foundation
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

/// A CRM with audiences, and the files it writes.
enum AudienceSite {
    static func crm(
        _ audiences: String, before: String = "", plugins: [any Plugin.Type] = [], further: String = "",
        at time: String = "2026-03-02 09:00:00"
    ) throws -> TestKernel {
        try TestKernel(
            yaml(audiences, before: before, plugins: plugins, further: further),
            plugins: [AudienceExport.self] + plugins, at: time)
    }

    static func yaml(_ audiences: String, before: String = "", plugins: [any Plugin.Type] = [], further: String = "")
        -> String
    {
        let section = audiences.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        let others = plugins.filter { !further.contains("\($0.name):") }.map { "  \($0.name): {}\n" }.joined()
        return "\(before)\nplugins:\n\(others)\(further)  audiences:\n\(section)"
    }
}

/// A plugin that keeps some out of files.
struct Guard: Plugin {
    static let name = "guard"
    static let summary = "Keeps some out of Meta's files."
    init(settings: NoSettings) {}

    @HookBuilder var hooks: [any Hook] {
        Filter("keep-out", AudienceMemberDraft.self) { draft, tx in
            guard draft.platform == "meta" else { return }
            let title = try String.fetchOne(
                tx.db, sql: "SELECT title FROM leads WHERE id = ?", arguments: [draft.leadID])
            if title == "Minor" { throw Veto("under age") }
            if title == "Rival" { throw Veto("a competitor") }
        }
    }
}

extension TestKernel {
    @discardableResult
    func lead(_ email: String, title: String = "", stage: String = "lead", consents: [String] = ["ads"]) throws -> Int64
    {
        try capture(["email": email, "title": title, "stage": stage], consents: consents)
    }

    /// The lines of the file and of the file of removals, and what the person is told.
    func export(_ audience: String, platform: String? = nil, diff: Bool = false, anyway: Bool = true) throws -> (
        lines: [String], removals: [String], note: String
    ) {
        let path = folder + "/\(audience).csv"
        for file in [path, Export.removalPath(path)] { try? FileManager.default.removeItem(atPath: file) }
        var options = ["output": path]
        options["platform"] = platform
        if anyway { options["anyway"] = "true" }
        if diff { options["diff"] = "true" }
        let note = try run("audiences export", audience, options: options).joined()
        return (
            lines(of: path), lines(of: Export.removalPath(path)),
            note.replacing(folder + "/", with: "").replacing("\n", with: " ")
        )
    }

    /// None where there is no file.
    func lines(of path: String) -> [String] {
        let text = try? String(contentsOfFile: path, encoding: .utf8)
        return text.map { $0.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }
            ?? []
    }

    /// Says that the platform has taken the last export.
    @discardableResult
    func accept() throws -> String {
        try run("audiences accept", try value("SELECT max(id) FROM audiences_exports") ?? "").joined()
    }

    /// Who is in an audience, by number.
    func members(_ audience: String) throws -> [String] {
        try rows(
            "SELECT lead_id FROM audiences_members WHERE audience = '\(audience)' AND until IS NULL ORDER BY lead_id")
    }
}
