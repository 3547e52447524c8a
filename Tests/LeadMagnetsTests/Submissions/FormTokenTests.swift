import Foundation
import Testing
import TrellisKernel

@testable import LeadMagnets

@Suite struct FormTokenTests {
    private let signer: LinkSigner
    private let now = Date(timeIntervalSince1970: 1_772_442_000.123)

    init() throws {
        signer = try LinkSigner(secret: "a secret for tests only")
    }

    private func read(_ text: String?, magnet: String = "plan", _ signer: LinkSigner? = nil) -> FormToken? {
        guard case .token(let token) = FormToken.read(text, magnet: magnet, signer ?? self.signer, now: now) else {
            return nil
        }
        return token
    }

    private func outcome(_ text: String?, magnet: String = "plan", _ signer: LinkSigner? = nil) -> String {
        switch FormToken.read(text, magnet: magnet, signer ?? self.signer, now: now) {
        case .token: "token"
        case .missing: "missing"
        case .forged: "forged"
        }
    }

    // MARK: - What it carries

    @Test func `a form carries its magnet, its time, its words and whom it is for`() throws {
        let token = FormToken(magnet: "plan", madeAt: now, variant: "chief", leadID: 17)
        let opened = try #require(read(token.sealed(signer)))
        #expect(opened.magnet == "plan" && opened.number == token.number)
        #expect(opened.variant == "chief" && opened.leadID == 17)
        let madeAt = try #require(opened.madeAt)
        #expect(abs(madeAt.timeIntervalSince(now)) < 0.001)
    }

    @Test func `a whole second is a time as well`() throws {
        let second = Date(timeIntervalSince1970: 1_772_442_000)
        #expect(read(FormToken(magnet: "plan", madeAt: second).sealed(signer))?.madeAt == second)
    }

    @Test func `a snippet's form has no time, and nobody's name`() throws {
        let opened = try #require(read(FormToken(magnet: "plan").sealed(signer)))
        #expect(opened.madeAt == nil && opened.variant == nil && opened.leadID == nil)
    }

    @Test func `nothing of it can be read on the page`() {
        let sealed = FormToken(magnet: "plan", madeAt: now, variant: "chief", leadID: 17).sealed(signer)
        #expect(!sealed.contains("plan") && !sealed.contains("chief"))
        #expect(sealed.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") })
    }

    @Test func `no two forms are the same`() {
        let numbers = (1...1000).map { _ in FormToken(magnet: "plan").number }
        #expect(Set(numbers).count == 1000)
    }

    // MARK: - Refused

    @Test(arguments: [nil, ""])
    func `a form without a token has none`(_ text: String?) {
        #expect(outcome(text) == "missing")
    }

    @Test func `a token of another magnet, another site or another purpose is forged`() throws {
        let sealed = FormToken(magnet: "plan", madeAt: now).sealed(signer)
        #expect(outcome(sealed) == "token")
        #expect(outcome(sealed, magnet: "guide") == "forged")
        #expect(outcome(sealed, try LinkSigner(secret: "a secret of somebody else")) == "forged")
        #expect(outcome(String(sealed.dropLast())) == "forged")
        #expect(outcome("plan") == "forged")
        #expect(outcome(signer.token(purpose: "lead", subject: #"["plan","1",null,null,null]"#)) == "forged")
        #expect(outcome(signer.token(purpose: "form", subject: #"["plan","1"]"#)) == "forged")
        #expect(outcome(signer.token(purpose: "form", subject: "17")) == "forged")
    }

    @Test func `a token under an older secret of the site still opens`() throws {
        let sealed = FormToken(magnet: "plan", madeAt: now).sealed(signer)
        let newer = try LinkSigner(secret: "the secret of today", older: ["a secret for tests only"])
        #expect(outcome(sealed, newer) == "token")
    }

    // MARK: - Receipts

    @Test func `a receipt is of one form and one person, and says neither`() {
        let (one, other) = (FormToken(magnet: "plan"), FormToken(magnet: "plan"))
        #expect(one.receipt(of: "ann@a.example") == one.receipt(of: "ann@a.example"))
        #expect(one.receipt(of: "ann@a.example").receipt != one.receipt(of: "bob@a.example").receipt)
        #expect(one.receipt(of: "ann@a.example").token == one.receipt(of: "bob@a.example").token)
        #expect(one.receipt(of: "ann@a.example").receipt != other.receipt(of: "ann@a.example").receipt)
        #expect(one.receipt(of: "ann@a.example").receipt.count == 64)
        #expect(!one.receipt(of: "ann@a.example").token.contains(one.number))
    }
}
