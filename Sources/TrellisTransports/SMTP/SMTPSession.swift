import Foundation
import TrellisKernel

/// A dialogue with a relay that has let us in: one message after another (RFC 5321, 3.3).
struct SMTPSession: Sendable {
    let line: SMTPLine
    private let timeouts: SMTPTimeouts
    private let extensions: [String: String]
    /// Messages that were begun on this connection.
    private(set) var mailsCount = 0
    /// Whether another message may follow.
    private(set) var isUsable = true
    /// Whether the relay took a recipient from us.
    private(set) var tookRecipient = false

    /// How a message went on this connection.
    enum Outcome {
        case settled(Delivery)
        /// The connection was dead before the message began, as kept ones are, or the relay takes no more recipients on
        /// it. Nothing is lost: take another.
        case stale
    }

    /// A message goes in blocks of this size, each with its time (RFC 5321, 4.5.3.2.5).
    private static let blockBytes = 64 * 1024

    // MARK: - Coming in

    /// The way is closed, and why.
    struct Closed: Error {
        let reason: String
    }

    static func open(_ access: RelayAccess) async throws(Closed) -> SMTPSession {
        let relay = access.relay
        var line: SMTPLine?
        do {
            let opened = try await SMTPLine.connect(
                host: relay.host, port: relay.portInUse,
                encryption: relay.encryptionInUse == .implicit ? access.encryption : nil,
                within: access.timeouts.connect, on: access.group)
            line = opened
            return SMTPSession(
                line: opened, timeouts: access.timeouts, extensions: try await enter(opened, access))
        } catch {
            line?.close()
            throw (error as? Closed) ?? Closed(reason: "\(error)")
        }
    }

    private init(line: SMTPLine, timeouts: SMTPTimeouts, extensions: [String: String]) {
        self.line = line
        self.timeouts = timeouts
        self.extensions = extensions
    }

    private static func enter(_ line: SMTPLine, _ access: RelayAccess) async throws -> [String: String] {
        let timeouts = access.timeouts
        let greeting = try await line.reply(within: timeouts.greeting, step: "greeting")
        guard greeting.code == 220 else { throw closed(greeting, at: .greeting) }
        var extensions = try await hello(line, access)
        if access.relay.encryptionInUse == .starttls {
            guard extensions["STARTTLS"] != nil else {
                throw Closed(reason: "it offers no STARTTLS. Say tls: implicit where it is encrypted from the start.")
            }
            let ready = try await command("STARTTLS", line, within: timeouts.command)
            guard ready.code == 220 else { throw closed(ready, at: .startTLS) }
            try await line.startTLS(access.encryption, within: timeouts.command)
            // RFC 3207, 4.2: what was offered in the clear is forgotten.
            extensions = try await hello(line, access)
        }
        if let username = access.relay.username, let password = access.relay.password {
            let offered = extensions["AUTH"]?.uppercased().split(separator: " ").map(String.init) ?? []
            try await authenticate(line, username, password, offered: offered, within: timeouts.command)
        }
        return extensions
    }

    private static func hello(_ line: SMTPLine, _ access: RelayAccess) async throws -> [String: String] {
        let reply = try await command("EHLO \(access.hello)", line, within: access.timeouts.command)
        guard reply.code == 250 else { throw closed(reply, at: .hello) }
        var extensions: [String: String] = [:]
        for text in reply.lines.dropFirst() {
            let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
            if let name = parts.first { extensions[name.uppercased()] = parts.count > 1 ? parts[1] : "" }
        }
        return extensions
    }

    /// RFC 4954, with PLAIN (RFC 4616) before LOGIN. What the relay says here is shown without our secrets in it.
    private static func authenticate(
        _ line: SMTPLine, _ username: String, _ password: String, offered: [String], within limit: Duration
    ) async throws {
        func coded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        let plain = coded("\0\(username)\0\(password)")
        let reply: SMTPReply
        if offered.contains("PLAIN") {
            reply = try await command("AUTH PLAIN \(plain)", line, within: limit)
        } else if offered.contains("LOGIN") {
            var answer = try await command("AUTH LOGIN", line, within: limit)
            for secret in [username, password] where answer.code == 334 {
                answer = try await command(coded(secret), line, within: limit)
            }
            reply = answer
        } else {
            throw Closed(reason: "it offers no way to give a password that is known here (AUTH PLAIN or LOGIN).")
        }
        guard reply.code == 235 else {
            let secrets = [plain, coded(password), coded(username), password, username].filter { !$0.isEmpty }
            let lines = reply.lines.map { text in secrets.reduce(text) { $0.replacing($1, with: "•••") } }
            throw closed(SMTPReply(code: reply.code, lines: lines), at: .authentication)
        }
    }

    private static func closed(_ reply: SMTPReply, at stage: SMTPStage) -> Closed {
        if case .stalled(let reason) = SMTPVerdict.of(reply, at: stage) { return Closed(reason: reason) }
        return Closed(reason: reply.shown())
    }

    private static func command(_ text: String, _ line: SMTPLine, within limit: Duration) async throws(SMTPFault)
        -> SMTPReply
    {
        // The step is the verb alone, so that neither an address nor a password is ever part of a reason.
        let verb = String(text.prefix { $0 != " " }.prefix(8))
        let step = ["EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET"].contains(verb) ? verb : "AUTH"
        try await line.write(Array((text + "\r\n").utf8), within: limit, step: step)
        return try await line.reply(within: limit, step: step)
    }

    // MARK: - A message

    /// Sends one message. Where the outcome leaves the dialogue in doubt, the connection is closed.
    mutating func send(
        _ mail: SMTPEnvelope, isProven: Bool, handingOver: @Sendable () async throws -> Void
    ) async -> Outcome {
        let isReused = mailsCount > 0
        mailsCount += 1
        if let reason = lacking(for: mail) { return .settled(.refused(because: reason)) }
        do throws(SMTPFault) {
            let reply = try await command(mailCommand(mail), within: timeouts.command)
            if reply.code == 421 && isReused {
                drop()
                return .stale
            }
            guard reply.kind == 2 else { return .settled(await end(reply, at: .sender, mail, isProven)) }
        } catch {
            drop()
            return isReused ? .stale : .settled(.stalled(because: "\(error)"))
        }
        do throws(SMTPFault) {
            if let outcome = try await handUp(mail, isProven, isReused: isReused) { return outcome }
        } catch {
            drop()
            return .settled(.retry(because: "\(error)"))
        }
        do {
            try await handingOver()
        } catch {
            // Without the dot the relay forgets what it has (RFC 5321, 4.1.1.10).
            drop()
            return .settled(.retry(because: "the message was held back before it was handed over: \(error)"))
        }
        // Telling the caller takes its time, and the relay's patience may have ended: the dot has not left yet.
        guard await line.isIdle else {
            drop()
            return .settled(.retry(because: "it closed the connection before the final dot"))
        }
        return .settled(await handOver(mail, isProven))
    }

    /// Recipient and content, up to and without the final dot; nil when all of it is there.
    private mutating func handUp(
        _ mail: SMTPEnvelope, _ isProven: Bool, isReused: Bool
    ) async throws(SMTPFault) -> Outcome? {
        let taken = try await command("RCPT TO:<\(mail.recipient)>", within: timeouts.command)
        // A message has but one recipient here: the relay counts those of the whole connection. On one that was just
        // opened it means the sender, and the message waits as after any other reply of its kind.
        if isReused, SMTPVerdict.isFull(taken) {
            isUsable = false
            line.quit()
            return .stale
        }
        guard taken.kind == 2 else { return .settled(await end(taken, at: .recipient, mail, isProven)) }
        tookRecipient = true
        let ready = try await command("DATA", within: timeouts.data)
        guard ready.code == 354 else { return .settled(await end(ready, at: .data, mail, isProven)) }
        let content = MailWire.stuffed(mail.content)
        for start in stride(from: 0, to: content.count, by: SMTPSession.blockBytes) {
            let block = content[start..<min(start + SMTPSession.blockBytes, content.count)]
            try await line.write(block, within: timeouts.block, step: "DATA")
        }
        if await line.isIdle { return nil }
        // It answered before it has everything: it wants no more of it. Its reply, or that it is gone, is the outcome.
        let early = try await line.reply(within: timeouts.block, step: "DATA")
        drop()
        return .settled(SMTPVerdict.of(early, at: .data, isProven: isProven, recipient: mail.recipient))
    }

    /// The final dot. Whatever fails from here on leaves the outcome open (RFC 1047).
    private mutating func handOver(_ mail: SMTPEnvelope, _ isProven: Bool) async -> Delivery {
        do throws(SMTPFault) {
            try await line.write(MailWire.finalDot, within: timeouts.block, step: "the final dot")
            let reply = try await line.reply(within: timeouts.finalDot, step: "the final dot")
            if reply.code == 421 || reply.kind == 3 { drop() }
            if reply.kind == 2 { return .sent }
            return SMTPVerdict.of(reply, at: .finalDot, isProven: isProven, recipient: mail.recipient)
        } catch {
            drop()
            return .unknown(because: "\(error) after the message was handed over")
        }
    }

    /// Ends the transaction without the message, so that the next can begin (RFC 5321, 4.1.1.5).
    private mutating func end(
        _ reply: SMTPReply, at stage: SMTPStage, _ mail: SMTPEnvelope, _ isProven: Bool
    ) async -> Delivery {
        // After 421 the relay closes; where it said something that has no place, it may be one reply ahead of us.
        let isClear = reply.code != 421 && (reply.kind == 4 || reply.kind == 5)
        let reset = isClear ? try? await command("RSET", within: timeouts.command) : nil
        if reset?.code != 250 { drop() }
        return SMTPVerdict.of(reply, at: stage, isProven: isProven, recipient: mail.recipient)
    }

    private mutating func drop() {
        isUsable = false
        line.close()
    }

    private func command(_ text: String, within limit: Duration) async throws(SMTPFault) -> SMTPReply {
        try await SMTPSession.command(text, line, within: limit)
    }

    private func mailCommand(_ mail: SMTPEnvelope) -> String {
        var text = "MAIL FROM:<\(mail.sender)>"
        if extensions["SIZE"] != nil { text += " SIZE=\(mail.content.count)" }
        if mail.isEightBit { text += " BODY=8BITMIME" }
        if mail.needsUTF8 { text += " SMTPUTF8" }
        return text
    }

    /// What the message needs and the relay does not offer (RFC 1870, 6152, 6531).
    private func lacking(for mail: SMTPEnvelope) -> String? {
        if let most = extensions["SIZE"].flatMap({ Int($0) }), most > 0, mail.content.count > most {
            return "the message has \(mail.content.count) bytes, and the relay takes \(most)."
        }
        if mail.needsUTF8, extensions["SMTPUTF8"] == nil {
            return "the address is not ASCII, and the relay takes no such addresses (SMTPUTF8)."
        }
        if mail.isEightBit, extensions["8BITMIME"] == nil {
            return "the message holds bytes beyond ASCII, and the relay takes none (8BITMIME). Encode it."
        }
        return nil
    }
}
