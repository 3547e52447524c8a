/// A mail came back undelivered.
public struct MailBounced: Event {
    public static let kind = "mail.bounced"
    /// Whether the address is dead, or may work another day.
    public enum Severity: String, Codable, Sendable {
        case hard, soft
    }

    public let mail: String
    /// The row of the outbox.
    public let messageID: Int64
    public let severity: Severity

    enum CodingKeys: String, CodingKey {
        case mail
        case messageID = "message_id"
        case severity = "class"
    }
}

/// A person called a mail spam.
public struct MailComplained: Event {
    public static let kind = "mail.complained"
    public let mail: String
    /// The row of the outbox.
    public let messageID: Int64

    enum CodingKeys: String, CodingKey {
        case mail
        case messageID = "message_id"
    }
}

/// A person answered a mail. Programs that answer are not counted.
public struct MailReplied: Event {
    public static let kind = "mail.replied"
    public let mail: String
    /// The row of the outbox.
    public let messageID: Int64

    enum CodingKeys: String, CodingKey {
        case mail
        case messageID = "message_id"
    }
}

/// An address has rested long enough after soft bounces: an appointment of the kernel with itself.
public struct SuppressionLapsed: Event {
    public static let kind = "suppression.lapsed"
    public let suppressionID: Int64

    enum CodingKeys: String, CodingKey {
        case suppressionID = "suppression_id"
    }
}
