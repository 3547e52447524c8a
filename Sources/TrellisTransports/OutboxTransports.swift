import Foundation
import NIOSSL
import TrellisKernel

/// The ways out of the house that a config names.
public enum OutboxTransports {
    /// One transport for mails, by `mail.transport`, signing where `mail.dkim` names a key; and one for webhooks where
    /// there are any.
    ///
    /// - Throws: ``ConfigProblems`` where a key or a certificate that the config names cannot be read.
    public static func all(of config: Config, clock: KernelClock) throws -> [any Transport] {
        var transports = [try mail(of: config, clock: clock)]
        if !config.site.webhooks.isEmpty {
            transports.append(WebhookTransport(endpoints: config.site.webhooks, clock: clock))
        }
        return transports
    }

    /// The keys of `mail.dkim`, read from their files.
    ///
    /// - Throws: ``ConfigProblems``, with the line that names the file.
    public static func signatures(of config: Config) throws(ConfigProblems) -> [DKIMSignature] {
        var signatures: [DKIMSignature] = []
        var problems: [ConfigProblem] = []
        for settings in config.site.mail.dkim {
            let path = config.path(settings.key.value)
            do throws(DKIMKey.Problem) {
                guard let data = FileManager.default.contents(atPath: path) else {
                    problems.append(
                        ConfigProblem("no file \(settings.key.value). Put the key there.", at: settings.key.place))
                    continue
                }
                let key = try DKIMKey(pem: String(decoding: data, as: UTF8.self))
                signatures.append(DKIMSignature(domain: settings.domain, selector: settings.selector, key: key))
            } catch {
                problems.append(ConfigProblem("\(settings.key.value): \(error)", at: settings.key.place))
            }
        }
        guard problems.isEmpty else { throw ConfigProblems(problems) }
        return signatures
    }

    /// What is wrong with a file of certificates, which stands as `%`; nil where nothing is.
    private static func authorityFault(_ path: String) -> String? {
        guard FileManager.default.isReadableFile(atPath: path) else { return "no file %. Put the certificates there." }
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
            return "% holds no certificate. It must be a PEM file: -----BEGIN CERTIFICATE-----"
        }
        return nil
    }

    /// Opens the keys and the certificates that a config names, and nothing else.
    ///
    /// - Throws: ``ConfigProblems`` where one cannot be read.
    public static func check(_ config: Config) throws(ConfigProblems) {
        _ = try signatures(of: config)
        guard config.site.mail.transport == "smtp" else { return }
        for file in config.site.mail.smtp.compactMap(\.authority) {
            guard let fault = authorityFault(config.path(file)) else { continue }
            throw ConfigProblems([
                ConfigProblem(
                    "mail.smtp.ca: \(fault.replacing("%", with: file))",
                    at: Place(file: (config.file as NSString).lastPathComponent))
            ])
        }
    }

    private static func mail(of config: Config, clock: KernelClock) throws -> any Transport {
        let mail = config.site.mail
        let carrier: any Transport
        try check(config)
        if mail.transport == "smtp" {
            carrier = try SMTPTransport(
                relays: mail.smtp, hello: mail.domain ?? config.site.site.baseHost, clock: clock, path: config.path)
        } else {
            carrier = FileTransport(folder: config.path(mail.folder))
        }
        let signatures = try signatures(of: config)
        return signatures.isEmpty ? carrier : SigningTransport(carrier, signatures: signatures, clock: clock)
    }
}
