import NIOCore
import NIOSSL
import TrellisKernel

/// All that is needed to enter one relay.
struct RelayAccess: Sendable {
    let relay: MailRelay
    /// How we call ourselves: a full host name (RFC 5321, 4.1.4).
    let hello: String
    let timeouts: SMTPTimeouts
    let group: any EventLoopGroup
    /// Made once: reading the authorities of the system takes longer than sending a mail.
    let encryption: SMTPLine.Encryption

    /// - Parameter authorities: PEM files of certificates to trust besides those of the system.
    /// - Throws: where such a file cannot be read.
    init(
        _ relay: MailRelay, hello: String, timeouts: SMTPTimeouts, authorities: [String], on group: any EventLoopGroup
    ) throws {
        self.relay = relay
        self.hello = hello
        self.timeouts = relay.timeout.map { timeouts.capped(at: .seconds($0.seconds)) } ?? timeouts
        self.group = group
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .fullVerification
        configuration.minimumTLSVersion = .tlsv12
        configuration.additionalTrustRoots = try authorities.map {
            .certificates(try NIOSSLCertificate.fromPEMFile($0))
        }
        encryption = SMTPLine.Encryption(context: try NIOSSLContext(configuration: configuration), host: relay.host)
    }
}
