import Foundation

// text-embedder TARGET FOLDER OUTPUT: writes a Swift file with the text of every file below FOLDER, in the order of
// names. For TrellisCommands they are the files of a new CRM; for every other target its migrations.
let arguments = CommandLine.arguments
guard arguments.count == 4 else {
    FileHandle.standardError.write(Data("usage: text-embedder TARGET FOLDER OUTPUT\n".utf8))
    exit(64)
}
let (target, folder, output) = (arguments[1], URL(filePath: arguments[2]), URL(filePath: arguments[3]))
let isStarter = target == "TrellisCommands"

let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path()).sorted().filter { name in
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: folder.appending(path: name).path(), isDirectory: &isFolder)
    return !isFolder.boolValue && (isStarter || name.hasSuffix(".sql"))
}

var source = target == "TrellisKernel" || isStarter ? "" : "import TrellisKernel\n\n"
source +=
    isStarter
    ? "/// The files below Starter/, in the order of their names.\nenum EmbeddedStarter {\n    static let files: [StarterFile] = [\n"
    : "/// The migrations of \(target), in the order of application.\nenum EmbeddedMigrations {\n    static let files: [MigrationFile] = [\n"
for name in names {
    let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    source +=
        isStarter
        ? "        StarterFile(name: \"\(name)\", text: ###\"\"\"\n"
        : "        MigrationFile(name: \"\(name.dropLast(4))\", sql: ###\"\"\"\n"
    source += text.split(separator: "\n", omittingEmptySubsequences: false).map { "        \($0)" }.joined(
        separator: "\n")
    source += "\n        \"\"\"###),\n"
}
source += "    ]\n}\n"
try Data(source.utf8).write(to: output)
