import Foundation
import Hummingbird
import Logging
import Synchronization
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

/// Answers in every way an endpoint can.
private struct Answers: Plugin {
    static let name = "answers"
    static let summary = "Answers in every way."

    init(settings: NoSettings) {}

    var hooks: [any Hook] { [] as [any Hook] }

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/file") { request in
                WebReply(body: .file(WebFile(path: request.kernel.config.path("plan.txt"), name: "the plan.txt")))
            },
            Endpoint(.get, "/inside/:name") { request in
                let config = request.kernel.config
                let path = config.path(request["name"])
                return WebReply(body: .file(WebFile(path: path, name: "inside.txt", folder: config.folder)))
            },
            Endpoint(.get, "/none") { _ in WebReply(status: 204) },
            Endpoint(.get, "/page") { _ in
                .page("problem", ["title": "T & T", "heading": "<b>", "text": "It's \"text\""], status: 418)
            },
            Endpoint(.get, "/nowhere") { _ in .page("no-such-page", [:]) },
            Endpoint(.get, "/headers") { request in
                WebReply.text("text").with("x-kept", "yes").with("x-broken", request.query["value"] ?? "")
                    .with("bad name", "x")
                    .with("set-cookie", "a=1").with("set-cookie", "b=2")
            },
        ]
    }
}

@Suite struct ByteRangeTests {
    @Test(arguments: [
        ("bytes=0-3", 0, 3), ("bytes=4-", 4, 9), ("bytes=-3", 7, 9), ("bytes=0-0", 0, 0), ("bytes=9-9", 9, 9),
        ("bytes=5-500", 5, 9), ("bytes=-500", 0, 9), ("bytes=0-", 0, 9),
    ])
    func `a range is a part of the file`(_ text: String, _ first: Int, _ last: Int) throws {
        let range = try #require(ByteRange(text))
        #expect(range.within(10) == first...last)
    }

    @Test(arguments: ["bytes=10-", "bytes=10-20", "bytes=-0"])
    func `a range may lie beyond the file`(_ text: String) throws {
        #expect(try #require(ByteRange(text)).within(10) == nil)
    }

    @Test func `an empty file has no part`() throws {
        for text in ["bytes=0-", "bytes=0-0", "bytes=-1"] { #expect(try #require(ByteRange(text)).within(0) == nil) }
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=3-2", "bytes=a-b", "bytes=0-1,3-4", "bytes= 0-1", "bytes=+0-1",
        "bytes=--1", "lines=0-1", "Bytes=0-1", "bytes=0-1-2", "bytes=99999999999999999999-", "bytes=٠-١",
    ])
    func `what is no range of one part is none`(_ text: String) {
        #expect(ByteRange(text) == nil)
    }
}

@Suite struct ReplyWriterTests {
    private let crm: TestKernel
    private let site: Listener

    init() throws {
        crm = try TestKernel("plugins: {answers: {}}", plugins: [Answers.self], files: ["plan.txt": "0123456789"])
        site = try Listener.open(crm)
    }

    // MARK: - Files

    @Test func `a file is sent whole under its name`() async throws {
        let answer = try await site.get("/file")
        #expect(answer.status == 200 && answer.body == "0123456789")
        #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
        #expect(answer.headers[.contentDisposition] == "attachment; filename=\"the plan.txt\"")
        #expect(answer.headers[.acceptRanges] == "bytes" && answer.headers[.cacheControl] == "private, no-cache")
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        #expect(answer.headers[.eTag]?.wholeMatch(of: #/"[0-9a-z]+-[0-9a-z]+"/#) != nil)
    }

    @Test func `a part of a file is sent where it is asked for`() async throws {
        for (range, body, said) in [
            ("bytes=2-4", "234", "bytes 2-4/10"), ("bytes=-2", "89", "bytes 8-9/10"),
            ("bytes=7-", "789", "bytes 7-9/10"),
        ] {
            let answer = try await site.get("/file", [.range: range])
            #expect(answer.status == 206 && answer.body == body)
            #expect(answer.headers[.contentRange] == said)
        }
        let beyond = try await site.get("/file", [.range: "bytes=10-"])
        #expect(beyond.status == 416 && beyond.headers[.contentRange] == "bytes */10" && beyond.body.isEmpty)
        let parts = try await site.get("/file", [.range: "bytes=0-1,4-5"])
        #expect(parts.status == 200 && parts.body == "0123456789")
    }

    @Test func `a part is of the file that is meant, or the whole is sent`() async throws {
        let tag = try #require(try await site.get("/file").headers[.eTag])
        #expect(try await site.get("/file", [.range: "bytes=0-1", .ifRange: tag]).status == 206)
        #expect(try await site.get("/file", [.range: "bytes=0-1", .ifRange: "\"older\""]).status == 200)
        try Data("9876543210+".utf8).write(to: URL(filePath: crm.folder + "/plan.txt"))
        let answer = try await site.get("/file", [.range: "bytes=0-1", .ifRange: tag])
        #expect(answer.status == 200 && answer.body == "9876543210+")
    }

    @Test func `a file that is known already is not sent again`() async throws {
        let tag = try #require(try await site.get("/file").headers[.eTag])
        let same = try await site.get("/file", [.ifNoneMatch: tag])
        #expect(same.status == 304 && same.body.isEmpty && same.headers[.eTag] == tag)
        #expect(try await site.get("/file", [.ifNoneMatch: "\"older\""]).status == 200)
    }

    @Test func `the head of a file is without its body`() async throws {
        let answer = try await site.ask(.head, "/file")
        #expect(answer.status == 200 && answer.body.isEmpty)
        #expect(answer.headers[.contentDisposition] == "attachment; filename=\"the plan.txt\"")
    }

    @Test func `a file that is gone is nobody's fault, and its place is not told`() async throws {
        try FileManager.default.removeItem(atPath: crm.folder + "/plan.txt")
        let answer = try await site.get("/file")
        #expect(answer.status == 503)
        #expect(answer.body.contains("It is not here at the moment, and we know of it. Please try again later."))
        #expect(!answer.body.contains(crm.folder))
    }

    @Test func `a folder is no file`() async throws {
        try FileManager.default.createDirectory(atPath: crm.folder + "/assets", withIntermediateDirectories: true)
        let answer = try await site.get("/inside/assets")
        #expect(answer.status == 503)
        #expect(answer.body.contains("It is not here at the moment, and we know of it. Please try again later."))
        #expect(try await site.get("/inside/assets", [.range: "bytes=0-9"]).status == 503)
    }

    private final class Lines: Sendable {
        private let all = Mutex<[String]>([])
        var list: [String] { all.withLock { $0 } }
        func add(_ line: String) { all.withLock { $0.append(line) } }
    }

    /// Keeps the errors alone.
    private struct Recorder: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.error
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.add("\(event.message): \(event.metadata?["path"] ?? "")") }
    }

    @Test func `the log says which file is gone`() async throws {
        let (path, lines) = (crm.kernel.config.path("plan.txt"), Lines())
        try FileManager.default.removeItem(atPath: path)
        let logger = Logger(label: "test") { _ in Recorder(lines: lines) }
        let kernel = try Kernel(
            config: crm.kernel.config, plugins: [Answers.self], clock: crm.clock.clock, logger: logger)
        #expect(try await Listener.open(kernel, of: crm).get("/file").status == 503)
        #expect(lines.list == ["a file of the config cannot be read: \(path)"])
    }

    @Test func `a link within the folder is followed, and one that leads out of it is not`() async throws {
        let files = FileManager.default
        try Data("secret".utf8).write(to: URL(filePath: crm.folder + "-outside.txt"))
        defer { try? files.removeItem(atPath: crm.folder + "-outside.txt") }
        try files.createSymbolicLink(atPath: crm.folder + "/in.txt", withDestinationPath: crm.folder + "/plan.txt")
        try files.createSymbolicLink(atPath: crm.folder + "/out.txt", withDestinationPath: crm.folder + "-outside.txt")
        #expect(try await site.get("/inside/in.txt").body == "0123456789")
        #expect(try await site.get("/inside/plan.txt").status == 200)
        for name in ["out.txt", "..%2F" + URL(filePath: crm.folder).lastPathComponent + "-outside.txt"] {
            let answer = try await site.get("/inside/\(name)")
            #expect(answer.status == 503 && !answer.body.contains("secret"), "\(name)")
        }
    }

    // MARK: - Other answers

    @Test func `a page is rendered with its values as text`() async throws {
        let answer = try await site.get("/page")
        #expect(answer.status == 418 && answer.headers[.contentType] == "text/html; charset=utf-8")
        #expect(answer.body.contains("<title>T &amp; T – Acme</title>"))
        #expect(answer.body.contains("<h1>&lt;b&gt;</h1>") && !answer.body.contains("<h1><b></h1>"))
    }

    @Test func `a page that nobody wrote is an error of this side`() async throws {
        let answer = try await site.get("/nowhere")
        #expect(answer.status == 500 && !answer.body.isEmpty)
    }

    @Test func `an answer may have no body`() async throws {
        let answer = try await site.get("/none")
        #expect(answer.status == 204 && answer.body.isEmpty)
    }

    @Test func `a header made of input cannot end itself`() async throws {
        for value in ["a%0D%0Ax-evil:%20yes", "a%0Ab", "a%0D"] {
            let answer = try await site.get("/headers?value=\(value)")
            let names = answer.headers.map(\.name.canonicalName)
            #expect(answer.status == 200 && answer.body == "text")
            #expect(names.contains("x-kept") && !names.contains("x-broken") && !names.contains("x-evil"))
            #expect(answer.headers[values: .setCookie] == ["a=1", "b=2"])
        }
        let kept = try await site.get("/headers?value=a%20b")
        #expect(kept.headers.first { $0.name.canonicalName == "x-broken" }?.value == "a b")
    }
}
