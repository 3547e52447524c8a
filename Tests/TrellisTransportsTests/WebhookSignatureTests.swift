import Testing
import TrellisKernel

@testable import TrellisTransports

@Suite struct WebhookSignatureTests {
    /// The example of the Standard Webhooks specification and its libraries.
    @Test func `the known example has its signature`() {
        let signature = WebhookSignature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8),
            secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
        #expect(signature.headers.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(signature.headers[2].value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `a plain secret is its own bytes, and what is no base64 signs nothing`() {
        #expect(WebhookSettings.key("abc") == Array("abc".utf8))
        #expect(WebhookSettings.key("whsec_AQID") == [1, 2, 3])
        #expect(WebhookSettings.key("whsec_?") == nil)
    }
}
