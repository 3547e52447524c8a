import Foundation
import PackagePlugin

/// Turns text files into Swift values, so that a program is one file to copy: `Migrations/OWNER/*.sql` for the kernel
/// and the plugins, `Starter/` for the commands.
@main
struct EmbedText: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let root = context.package.directoryURL
        let folder =
            switch target.name {
            case "TrellisCommands": root.appending(path: "Starter")
            case "TrellisKernel": root.appending(path: "Migrations/Kernel")
            default: root.appending(path: "Migrations/\(target.name)")
            }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedText.swift")
        return [
            .buildCommand(
                displayName: "Embedding \(folder.lastPathComponent) into \(target.name)",
                executable: try context.tool(named: "text-embedder").url,
                arguments: [target.name, folder.path(), output.path()],
                inputFiles: try files(below: folder),
                outputFiles: [output])
        ]
    }

    private func files(below folder: URL) throws -> [URL] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path()).map { folder.appending(path: $0) }
            .filter { !$0.hasDirectoryPath }
    }
}
