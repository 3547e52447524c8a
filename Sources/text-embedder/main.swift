import Foundation

// text-embedder TARGET OUTPUT FOLDER…: writes a Swift file with the text of every file below each folder, in the order
// of names. What a folder holds is told by its path: Migrations/OWNER, Views/OWNER, Pages/OWNER, Words/OWNER, Starter.
let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    FileHandle.standardError.write(Data("usage: text-embedder TARGET OUTPUT FOLDER…\n".utf8))
    exit(64)
}
let (target, output) = (arguments[1], URL(filePath: arguments[2]))

/// The files below a folder, by their paths in it.
func files(below folder: URL) throws -> [(name: String, text: String)] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path()).sorted().compactMap { name in
        let file = folder.appending(path: name)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file.path(), isDirectory: &isFolder), !isFolder.boolValue else {
            return nil
        }
        return (name, try String(contentsOf: file, encoding: .utf8))
    }
}

func literal(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "        \($0)" }
    return "###\"\"\"\n\(lines.joined(separator: "\n"))\n        \"\"\"###"
}

/// The declaration that holds the files of one folder.
func declaration(of folder: URL) throws -> String {
    let all = try files(below: folder)
    func list(_ elements: [String]) -> String { elements.map { "        \($0),\n" }.joined() }
    if folder.lastPathComponent == "Starter" {
        let elements = all.map { "StarterFile(name: \"\($0.name)\", text: \(literal($0.text)))" }
        return
            "/// The files below Starter/, in the order of their names.\nenum EmbeddedStarter {\n    static let files: [StarterFile] = [\n\(list(elements))    ]\n}\n"
    }
    if folder.deletingLastPathComponent().lastPathComponent == "Pages" {
        let elements = all.map { "\"\($0.name)\": \(literal($0.text))" }
        return
            "/// The pages of \(target), by the names of their files.\nenum EmbeddedPages {\n    static let files: [String: String] = [\n\(list(elements))    ]\n}\n"
    }
    if folder.deletingLastPathComponent().lastPathComponent == "Words" {
        let elements = all.filter { $0.name.hasSuffix(".yaml") }.map {
            "\"\($0.name.dropLast(5))\": \(literal($0.text))"
        }
        return
            "/// The words of \(target), by language.\nenum EmbeddedWords {\n    static let files: [String: String] = [\n\(list(elements))    ]\n}\n"
    }
    if folder.deletingLastPathComponent().lastPathComponent == "Views" {
        let elements = all.filter { $0.name.hasSuffix(".sql") }.map {
            "ViewFile(name: \"\($0.name.dropLast(4))\", sql: \(literal($0.text)))"
        }
        return
            "/// The views of \(target).\nenum EmbeddedViews {\n    static let files: [ViewFile] = [\n\(list(elements))    ]\n}\n"
    }
    let elements = all.filter { $0.name.hasSuffix(".sql") }.map {
        "MigrationFile(name: \"\($0.name.dropLast(4))\", sql: \(literal($0.text)))"
    }
    return
        "/// The migrations of \(target), in the order of application.\nenum EmbeddedMigrations {\n    static let files: [MigrationFile] = [\n\(list(elements))    ]\n}\n"
}

/// A folder that holds nothing yet declares nothing.
let folders = try arguments.dropFirst(3).map { URL(filePath: $0) }.filter { try !files(below: $0).isEmpty }
let needsKernel =
    target != "TrellisKernel"
    && folders.contains { $0.path().contains("/Migrations/") || $0.path().contains("/Views/") }
let source = (needsKernel ? "import TrellisKernel\n\n" : "") + (try folders.map(declaration).joined(separator: "\n"))
try Data(source.utf8).write(to: output)
