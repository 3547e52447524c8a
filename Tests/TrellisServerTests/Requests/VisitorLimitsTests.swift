import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

@Suite struct VisitorLimitsTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel("server: {limits: {forms_per_minute: 6, requests_per_minute: 60}}")
    }

    private func limits() -> VisitorLimits { limits(crm) }

    /// What was used up of them stays so, however long a busy machine takes.
    private func limits(_ crm: TestKernel) -> VisitorLimits {
        let start = ContinuousClock.now
        return VisitorLimits(config: crm.kernel.config, clock: { start })
    }

    private var path: String { crm.kernel.config.databasePath + "-limits" }

    /// How many forms a visitor may send now, at once.
    private func forms(_ limits: VisitorLimits, _ visitor: String = "203.0.113.7") -> Int {
        (0..<100).prefix { _ in limits.wait(for: visitor, isForm: true) == nil }.count
    }

    @Test func `a network sends as many forms as ten of its visitors`() throws {
        let crm = try TestKernel("server: {limits: {forms_per_minute: 1}}")
        let limits = limits(crm)
        let sent = (1...12).filter { limits.wait(for: "a\($0)", isForm: true, network: "a") == nil }
        #expect(sent == Array(1...10))
        #expect(limits.wait(for: "b", isForm: true, network: "b") == nil)
        #expect(limits.wait(for: "a12", isForm: false, network: "a") == nil)
    }

    @Test func `a flood from many networks closes a form to nobody else`() throws {
        let crm = try TestKernel("server: {limits: {forms_per_minute: 1}}")
        let limits = limits(crm)
        let sent = (1...1000).filter { limits.wait(for: "v\($0)", isForm: true, network: "n\($0)") == nil }
        #expect(sent.count == 1000 && limits.wait(for: "ann", isForm: true, network: "home") == nil)
    }

    @Test func `whoever is over their own limit takes nothing from their neighbours`() throws {
        let crm = try TestKernel(
            "server: {limits: {forms_per_minute: 2, network_forms_per_minute: 4}}")
        let limits = limits(crm)
        let sent = { (visitor: String) in
            (0..<50).filter { _ in limits.wait(for: visitor, isForm: true, network: "a") == nil }.count
        }
        #expect(sent("loud") == 2 && sent("quiet") == 2 && sent("third") == 0)
    }

    @Test func `what a network has left is left over a stop, too`() throws {
        let crm = try TestKernel("server: {limits: {forms_per_minute: 9, network_forms_per_minute: 3}}")
        let before = limits(crm)
        for _ in 1...3 { #expect(before.wait(for: "a", isForm: true, network: "n") == nil) }
        before.keep(now: crm.clock.now)
        let after = limits(crm)
        after.resume(isAfterCrash: false, now: crm.clock.now)
        #expect(after.wait(for: "b", isForm: true, network: "n") != nil)
        #expect(after.wait(for: "c", isForm: true, network: "o") == nil)
    }

    @Test func `what is left is left over a stop`() {
        let before = limits()
        #expect(forms(before) == 6)
        #expect(before.wait(for: "198.51.100.4", isForm: true) == nil)
        before.keep(now: crm.clock.now)
        let after = limits()
        after.resume(isAfterCrash: false, now: crm.clock.now)
        #expect(forms(after) == 0)
        #expect(forms(after, "198.51.100.4") == 5)
        #expect(forms(after, "192.0.2.1") == 6)
        #expect(after.wait(for: "203.0.113.7", isForm: false) == nil)
    }

    @Test func `the time of the stop fills the buckets`() {
        let before = limits()
        #expect(forms(before) == 6)
        before.keep(now: crm.clock.now)
        crm.clock.advance(by: "20s")
        let after = limits()
        after.resume(isAfterCrash: false, now: crm.clock.now)
        #expect(forms(after) == 2)
    }

    @Test func `a clock that went back gives nobody more, and takes nothing`() {
        let before = limits()
        #expect(forms(before) == 6)
        before.keep(now: crm.clock.now)
        let after = limits()
        after.resume(isAfterCrash: false, now: crm.clock.now - 3600)
        #expect(forms(after) == 0)
    }

    @Test func `who did not come between two stops is not forgotten`() {
        let first = limits()
        #expect(forms(first) == 6)
        first.keep(now: crm.clock.now)
        let second = limits()
        second.resume(isAfterCrash: false, now: crm.clock.now)
        second.keep(now: crm.clock.now)
        let third = limits()
        third.resume(isAfterCrash: false, now: crm.clock.now)
        #expect(forms(third) == 0)
    }

    @Test func `after a crash each visitor finds half, and old news is not read`() {
        let before = limits()
        #expect(forms(before) == 6)
        before.keep(now: crm.clock.now)
        let after = limits()
        after.resume(isAfterCrash: true, now: crm.clock.now)
        #expect(forms(after) == 3 && forms(after, "192.0.2.1") == 3)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `the first start has full buckets`() {
        let limits = limits()
        limits.resume(isAfterCrash: false, now: crm.clock.now)
        #expect(forms(limits) == 6)
    }

    @Test func `the file names nobody, is for nobody else to read, and is gone once it is read`() throws {
        let before = limits()
        _ = forms(before)
        before.keep(now: crm.clock.now)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasPrefix("2026-03-02 09:00:00.000\nforms ") && !text.contains("203.0.113"))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        limits().resume(isAfterCrash: false, now: crm.clock.now)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: [
        "", "x", "2026-03-02 09:00:00.000",
        "2026-03-02 09:00:00.000\nforms\nforms a b\nforms a nan\nforms a inf\nother a 1\n\u{0}",
    ])
    func `a file that is none fills every bucket`(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
        let limits = limits()
        limits.resume(isAfterCrash: false, now: crm.clock.now)
        #expect(forms(limits) == 6)
    }
}
