import Testing
import TrellisKernel

@testable import TrellisTransports

@Suite struct WebAddressGuardTests {
    private typealias Problem = WebAddressGuard.Problem

    @Test(arguments: [
        ("https://hooks.acme.example/a?b=c#d", "hooks.acme.example", 443),
        ("https://hooks.acme.example", "hooks.acme.example", 443),
        ("HTTPS://HOOKS.acme.example:8443/", "hooks.acme.example", 8443),
        ("https://93.184.216.34/", "93.184.216.34", 443),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]/", "2606:2800:220:1:248:1893:25c8:1946", 443),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443), ("https://a.example./x", "a.example.", 443),
        ("https://1password.example/", "1password.example", 443),
    ])
    func `what lies on the web may be asked`(_ url: String, _ host: String, _ port: Int) throws {
        let target = try WebAddressGuard().target(of: url)
        #expect((target.host, target.port, target.isEncrypted) == (host, port, true))
    }

    private static let refused: [(String, Problem)] = [
        // Other roads.
        ("http://hooks.acme.example/", .scheme), ("file:///etc/passwd", .scheme), ("gopher://a.example/", .scheme),
        ("ftp://a.example/", .scheme), ("dict://a.example:11211/", .scheme), ("data:text/plain,x", .scheme),
        ("//a.example/", .notAURL), ("a.example", .notAURL), ("", .notAURL), ("https:///path", .host),
        // This machine and the house, as they are written.
        ("https://localhost/", .privateAddress), ("https://LOCALHOST./", .privateAddress),
        ("https://a.localhost/", .privateAddress), ("https://crm/", .privateAddress),
        ("https://printer.local/", .privateAddress), ("https://metadata.google.internal/", .privateAddress),
        ("https://127.0.0.1/", .privateAddress), ("https://127.255.255.254:8443/", .privateAddress),
        ("https://10.1.2.3/", .privateAddress), ("https://172.31.0.1/", .privateAddress),
        ("https://192.168.1.1/", .privateAddress), ("https://100.64.0.1/", .privateAddress),
        ("https://169.254.169.254/latest/meta-data/", .privateAddress), ("https://0.0.0.0/", .privateAddress),
        ("https://255.255.255.255/", .privateAddress), ("https://224.0.0.1/", .privateAddress),
        // And in IPv6.
        ("https://[::1]/", .privateAddress), ("https://[::]/", .privateAddress),
        ("https://[::ffff:7f00:1]/", .privateAddress), ("https://[::ffff:10.0.0.1]/", .privateAddress),
        ("https://[::7f00:1]/", .privateAddress), ("https://[fe80::1]/", .privateAddress),
        ("https://[fd00:ec2::254]/", .privateAddress), ("https://[fc00::1]/", .privateAddress),
        ("https://[64:ff9b::7f00:1]/", .privateAddress), ("https://[2002:7f00:1::]/", .privateAddress),
        ("https://[ff02::1]/", .privateAddress),
        // Addresses that only some programs read.
        ("https://2130706433/", .host), ("https://0x7f000001/", .host), ("https://0177.0.0.1/", .host),
        ("https://0x7f.1/", .host), ("https://127.1/", .host), ("https://127.0.0.1./", .host),
        ("https://1.2.3.4.5/", .host), ("https://a.example.1/", .host), ("https://a..example/", .host),
        ("https://-a.example/", .host), ("https://[fe80::1%25eth0]/", .host),
        // Somebody else's host behind a sign, and signs that programs read differently.
        ("https://a.example@127.0.0.1/", .credentials), ("https://user:word@a.example/", .credentials),
        ("https://a.example\\@127.0.0.1/", .notAURL), ("https://a.example /", .notAURL),
        ("https://a.example\r\nHost: b/", .notAURL), ("https://①②⑦.⓪.⓪.①/", .notAURL),
        // Other doors.
        ("https://a.example:22/", .port), ("https://a.example:25/", .port), ("https://a.example:0/", .port),
        ("https://a.example:99999/", .port), ("https://a.example:80/", .port),
    ]

    @Test func `what does not is refused, however it is written`() {
        #expect(WebAddressGuardTests.refused.count >= 40)
        for (url, problem) in WebAddressGuardTests.refused {
            do throws(Problem) {
                let target = try WebAddressGuard().target(of: url)
                Issue.record("\(url) was let through as \(target)")
            } catch {
                // What cannot be read at all may be refused for that as well.
                #expect(error == problem || error == .notAURL, "\(url): \(error)")
            }
        }
    }

    @Test(arguments: [
        "http://127.0.0.1:9000/", "https://10.0.0.5/", "http://crm/", "http://localhost/", "https://[::1]:22/",
        "https://printer.local/",
    ])
    func `a host of the house may be asked where that is meant`(_ url: String) throws {
        #expect(throws: Never.self) { try WebAddressGuard(allowsPrivate: true).target(of: url) }
    }

    @Test(arguments: [
        "http://169.254.169.254/", "http://0.0.0.0/", "http://[fe80::1]/", "http://224.0.0.1/",
        "http://[fd00:ec2::254]/",
        "http://2130706433/", "file:///etc/passwd", "http://a@10.0.0.1/",
    ])
    func `but never the link, nobody, or a trick`(_ url: String) {
        #expect(throws: Problem.self) { try WebAddressGuard(allowsPrivate: true).target(of: url) }
    }

    @Test(arguments: [
        ("93.184.216.34", true), ("8.8.8.8", true), ("2606:2800:220:1::1", true), ("127.0.0.1", false),
        ("10.0.0.1", false),
        ("::ffff:192.168.0.1", false), ("::1", false), ("fd12::1", false), ("198.18.0.1", false), ("172.15.0.1", true),
        ("172.32.0.1", true), ("100.128.0.1", true), ("192.0.2.1", false),
    ])
    func `an address is of the web or not`(_ text: String, _ isAllowed: Bool) throws {
        #expect(WebAddressGuard().isAllowed(try #require(ClientAddress(text))) == isAllowed)
    }
}
