import Foundation
import PackagePlugin

/// Turns text files into Swift values, so that a program is one file to copy: `Migrations/OWNER/*.sql` and
/// `Views/OWNER/*.sql` for the kernel and the plugins, `Pages/OWNER/` for whoever shows pages, `Words/OWNER/` for what
/// they say, `Starter/` for the commands.
@main
struct EmbedText: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let root = context.package.directoryURL
        let owner = target.name.hasPrefix("Trellis") ? String(target.name.dropFirst(7)) : target.name
        let folders = [
            "Migrations/\(owner)", "Views/\(owner)", "Pages/\(owner)", "Words/\(owner)",
            owner == "Commands" ? "Starter" : nil,
        ]
        .compactMap { $0 }.map { root.appending(path: $0) }
        .filter { FileManager.default.fileExists(atPath: $0.path()) }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedText.swift")
        return [
            .buildCommand(
                displayName: "Embedding the texts of \(target.name)",
                executable: try context.tool(named: "text-embedder").url,
                arguments: [target.name, output.path()] + folders.map { $0.path() },
                inputFiles: try folders.flatMap(files),
                outputFiles: [output])
        ]
    }

    private func files(below folder: URL) throws -> [URL] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path()).map { folder.appending(path: $0) }
            .filter { !$0.hasDirectoryPath }
    }
}
