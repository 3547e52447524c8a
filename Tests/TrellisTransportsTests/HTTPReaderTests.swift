import NIOHTTP1
import Testing
import TrellisKernel

@testable import TrellisTransports

@Suite struct HTTPReaderTests {
    private static let home = AddressLookup { _ in ["127.0.0.1"].compactMap { ClientAddress($0) } }

    @Test func `a document is read under its name, with the headers that were given`() async throws {
        let authority = try TestAuthority()
        let receiver = try await ScriptedReceiver(encryption: try authority.context(for: ["graph.acme.example"])) { _ in
            .init(status: 404, bodyBytes: 5)
        }
        let reader = HTTPReader.reader(
            allowsPrivate: true, lookup: HTTPReaderTests.home, authorities: [authority.certificate])
        let answer = try await reader.get(
            "https://graph.acme.example:\(receiver.port)/v1/7?a=b", headers: ["authorization": "Bearer x"])
        #expect(answer.status == 404 && answer.body == Array("xxxxx".utf8))
        let head = try #require(receiver.requests.first?.head)
        #expect(head.method == .GET && head.uri == "/v1/7?a=b")
        #expect(head.headers["authorization"] == ["Bearer x"])
    }

    @Test func `nobody inside the house is asked, and who answers with too much is not heard`() async throws {
        let receiver = try await ScriptedReceiver { _ in .init(bodyBytes: WebReader.bytesMax + 1) }
        await #expect(throws: WebReaderProblem.self) {
            try await HTTPReader.reader(lookup: HTTPReaderTests.home).get("https://a.example:\(receiver.port)/")
        }
        #expect(receiver.requests.isEmpty)
        let problem = await #expect(throws: WebReaderProblem.self) {
            try await HTTPReader.reader(allowsPrivate: true, lookup: HTTPReaderTests.home).get(
                "http://a.example:\(receiver.port)/?secret=7")
        }
        #expect(problem?.description == "a.example answered with too much")
    }

    @Test func `a program that brings none asks nobody`() async {
        let problem = await #expect(throws: WebReaderProblem.self) {
            try await WebReader.none.get("https://a.example/")
        }
        #expect(problem?.description == "this program asks nobody on the web")
    }
}
