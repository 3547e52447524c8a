import Dispatch
import Foundation
import Hummingbird
import HummingbirdTesting
import LeadMagnets
import NIOHTTP1
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

/// One target of a request, as it is read behind the first handler.
@Suite struct PlainHeadTests {
    private func moved(
        _ uri: String, hosts: [String] = ["other.example"], version: HTTPVersion = .http1_1
    ) -> HTTPRequestHead {
        var head = HTTPRequestHead(version: version, method: .GET, uri: uri)
        for host in hosts { head.headers.add(name: "Host", value: host) }
        PlainHead.moveAuthority(&head)
        return head
    }

    static let targets: [(target: String, host: String, path: String)] = [
        ("http://acme.example/offers", "acme.example", "/offers"),
        ("HTTP://acme.example/offers?a=b", "acme.example", "/offers?a=b"),
        ("https://acme.example:8080/", "acme.example:8080", "/"), ("http://acme.example", "acme.example", "/"),
        ("http://acme.example?a=http://b/", "acme.example", "/?a=http://b/"), ("http://[::1]:80/x", "[::1]:80", "/x"),
        ("http:///x", "", "/x"), ("http://user@acme.example/x", "user@acme.example", "/x"),
        ("http://acme.example//evil.example/", "acme.example", "//evil.example/"),
    ]

    @Test(arguments: targets)
    func `the name in an absolute target takes the place of the host`(_ target: String, _ host: String, _ path: String)
    {
        let head = moved(target)
        #expect(head.headers["host"] == [host] && head.uri == path)
    }

    @Test(arguments: ["/offers", "/http://acme.example/", "//acme.example/", "*"])
    func `a path is left as it is`(_ target: String) {
        let head = moved(target)
        #expect(head.headers["host"] == ["other.example"] && head.uri == target)
    }

    @Test(arguments: ["acme.example:443", "ftp://acme.example/", "http:/x", "javascript:alert(1)", "offers", ""])
    func `any other target is for no site`(_ target: String) {
        #expect(moved(target).headers["host"] == [""])
    }

    @Test func `a request that names no host or several is left to be refused`() {
        #expect(moved("http://acme.example/", hosts: []).uri == "http://acme.example/")
        #expect(moved("http://acme.example/", hosts: ["a.example", "b.example"]).headers["host"].count == 2)
        #expect(moved("http://acme.example/", hosts: [], version: .http1_0).headers["host"] == ["acme.example"])
    }
}

/// Heads on a real connection.
@Suite struct ConnectionHeadTests {
    private struct Socket {
        let descriptor: Int32

        init(port: Int) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var patience = timeval(tv_sec: 600, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(port).bigEndian)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let code = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(code == 0)
        }

        func write(_ text: String) {
            _ = text.utf8CString.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count - 1, 0) }
        }

        /// What comes until so many answers ended, or the connection does; and whether it did.
        func read(answers: Int) -> (text: String, isClosed: Bool) {
            var text = ""
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while text.components(separatedBy: "\r\nok\n").count <= answers {
                let count = recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { return (text, count == 0) }
                text += String(decoding: bytes[..<count], as: UTF8.self)
            }
            return (text, false)
        }

        func end() { close(descriptor) }
    }

    /// Sends each text on a connection of its own, one after the other, and reads what comes: `answers` beyond those
    /// that come wait for the end of the connection.
    private func exchange(_ texts: [String], answers: Int) async throws -> [(text: String, isClosed: Bool)] {
        let crm = try TestKernel()
        let application = try WebServer(crm.kernel).publicListener()
        let came = try await application.test(.live) { client in
            let port = try #require(client.port)
            return await withCheckedContinuation { continuation in
                // It blocks: on a thread that nobody else needs.
                DispatchQueue.global().async {
                    let came = texts.map { text -> (text: String, isClosed: Bool) in
                        guard let socket = try? Socket(port: port) else { return ("", false) }
                        defer { socket.end() }
                        socket.write(text)
                        return socket.read(answers: answers)
                    }
                    continuation.resume(returning: came)
                }
            }
        }
        try crm.kernel.close()
        return came
    }

    private func statuses(_ text: String) -> [String] {
        text.matches(of: #/HTTP\/1\.1 (\d+) /#).map { String($0.1) }
    }

    @Test func `the connection of HTTP/1.0, and one that says so, ends with its answer`() async throws {
        let requests = [
            "HTTP/1.0\r\nHost: localhost", "HTTP/1.0\r\nHost: localhost\r\nConnection: close",
            "HTTP/1.1\r\nHost: localhost\r\nConnection: close",
            "HTTP/1.1\r\nHost: localhost\r\nConnection: Close, TE",
        ]
        let came = try await exchange(requests.map { "GET /healthz \($0)\r\n\r\n" }, answers: 9)
        for (request, came) in zip(requests, came) {
            #expect(statuses(came.text) == ["200"] && came.isClosed, "\(request)")
            #expect(came.text.lowercased().contains("connection: close\r\n"), "\(request)")
        }
    }

    @Test func `the connection of HTTP/1.1 stays, and so does one of HTTP/1.0 that asks for it`() async throws {
        let plain = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let old = "GET /healthz HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
        let came = try await exchange([plain + plain, old + old], answers: 2)
        for came in came { #expect(statuses(came.text) == ["200", "200"] && !came.isClosed) }
        #expect(!came[0].text.lowercased().contains("connection:"))
        #expect(came[1].text.lowercased().contains("connection: keep-alive\r\n"))
    }

    /// What is meant is the site in the target, whatever `Host` says.
    private static let absolute: [(head: String, status: String)] = [
        ("GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example", "200"),
        ("GET http://crm.acme.example/healthz HTTP/1.1\r\nHost: localhost", "200"),
        ("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost", "421"),
        ("GET http://localhost.evil.example/healthz HTTP/1.1\r\nHost: localhost", "421"),
        ("GET http://user@localhost/healthz HTTP/1.1\r\nHost: localhost", "400"),
        ("GET http:///healthz HTTP/1.1\r\nHost: localhost", "400"),
        ("GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost", "400"),
        ("GET http://localhost/healthz HTTP/1.1", "400"),
        ("GET ftp://localhost/healthz HTTP/1.1\r\nHost: localhost", "400"),
        ("GET http://localhost/healthz HTTP/1.0", "200"), ("GET http://evil.example/healthz HTTP/1.0", "421"),
    ]

    @Test func `an absolute target says which site is meant`() async throws {
        let texts = ConnectionHeadTests.absolute.map { "\($0.head)\r\nConnection: close\r\n\r\n" }
        let came = try await exchange(texts, answers: 9)
        for (expected, came) in zip(ConnectionHeadTests.absolute, came) {
            #expect(statuses(came.text) == [expected.status], "\(expected.head)")
            #expect(!came.text.contains("evil.example"), "\(expected.head)")
        }
    }
}
