import Foundation
import Testing
import TrellisKernel

/// A config that ends anywhere, as one that was cut off by a full disk or a careless hand.
struct ConfigCutTests {
    private static let isLong = ProcessInfo.processInfo.environment["LONG"] == "1"
    private static let configs = [
        "Starter", "Examples/course-seller", "Examples/newsletter-to-demo", "Examples/outreach", "Examples/readme",
        "Examples/sales-pipeline", "Examples/scoring-backtest", "Examples/sql-hooks", "Examples/trial",
        "Examples/webinar",
        "Examples/whitepaper", "Tests/API/site", "Tests/Attacks/site", "Tests/Browser/site",
    ]
    private static let environment = [
        "TRELLIS_SECRET": "a secret for tests only", "TRELLIS_ADMIN_TOKEN": "a token for tests only, and long enough",
    ]

    /// What is wrong with how a cut config is answered; nil where it is sound or each problem has its place.
    private func fault(of bytes: Data, in folder: String) throws -> String? {
        let path = folder + "/config.yaml"
        try bytes.write(to: URL(filePath: path))
        do {
            _ = try Config.load(file: path, plugins: shippedPlugins, environment: Self.environment)
            return nil
        } catch let error as ConfigProblems {
            if error.problems.isEmpty { return "refused without a problem" }
            let unplaced = error.problems.filter { $0.place.line < 1 || $0.place.column < 1 }
            return unplaced.first.map { "without a place: \($0)" }
        } catch {
            return "\(error)"
        }
    }

    private func folder() throws -> String {
        let folder = NSTemporaryDirectory() + "trellis-cut-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test(arguments: configs)
    func `a config cut anywhere is sound, or each of its problems has a line and a column`(_ name: String) throws {
        let whole = try Data(contentsOf: repository.appending(path: name).appending(path: "config.yaml"))
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try fault(of: whole, in: folder) == nil)
        var faults: [String] = []
        for count in stride(from: 0, to: whole.count, by: Self.isLong ? 1 : 61) {
            if let fault = try fault(of: whole.prefix(count), in: folder) { faults.append("\(count) bytes: \(fault)") }
        }
        #expect(faults.isEmpty, "\(faults.count), such as \(faults.prefix(3))")
    }

    @Test(arguments: configs)
    func `a config cut anywhere is never worked with`(_ name: String) throws {
        let whole = try Data(contentsOf: repository.appending(path: name).appending(path: "config.yaml"))
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for extra in ["mails", "pages", "assets", "Migrations", "queries"] {
            let source = repository.appending(path: name).appending(path: extra)
            guard FileManager.default.fileExists(atPath: source.path()) else { continue }
            try FileManager.default.copyItem(at: source, to: URL(filePath: folder + "/" + extra))
        }
        let path = folder + "/config.yaml"
        try whole.write(to: URL(filePath: path))
        let config = try Config.load(file: path, plugins: shippedPlugins, environment: Self.environment)
        let kernel = try Kernel(config: config, plugins: shippedPlugins)
        try Worker(kernel, transports: []).finish()
        try kernel.close()
        let text = String(decoding: whole, as: UTF8.self)
        var worked: [Int] = []
        for count in stride(from: 1, to: whole.count, by: Self.isLong ? 1 : 61) {
            try whole.prefix(count).write(to: URL(filePath: path))
            // Cut within the name of the database it names another file, which no config was in force for.
            guard let cut = try? Config.load(file: path, plugins: shippedPlugins, environment: Self.environment),
                cut.databasePath == config.databasePath,
                let again = try? Kernel(config: cut, plugins: shippedPlugins)
            else { continue }
            try again.close()
            let missing = text.utf8.dropFirst(count)
            let isNothing = String(decoding: missing, as: UTF8.self).split(separator: "\n").allSatisfy {
                $0.trimmingCharacters(in: .whitespaces).isEmpty || $0.hasPrefix("#")
                    || $0.drop { $0 == " " }.hasPrefix("#")
            }
            if !isNothing { worked.append(count) }
        }
        #expect(worked.isEmpty, "\(worked.count) cuts are worked with, such as at byte \(worked.prefix(3))")
    }

    @Test func `a config cut within a letter says where`() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bytes = Data("site:\n  name: Käse".utf8)
        try bytes.prefix(16).write(to: URL(filePath: folder + "/config.yaml"))
        #expect {
            _ = try Config.load(file: folder + "/config.yaml", plugins: shippedPlugins, environment: Self.environment)
        } throws: { "\($0)" == "config.yaml:2:10: not UTF-8 text from here on. Save it as UTF-8." }
    }

    @Test(arguments: [
        "\u{0}", "site:\u{7}", "a: [", "a: {", "\"", "a: \"\\", "? ", "- ", "%YAML", "--- ---", "&a", "*a", "a: |",
        "\t", "!!", "\u{FEFF}",
    ])
    func `what is no YAML has a place`(_ text: String) throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try fault(of: Data(text.utf8), in: folder) == nil)
    }
}
