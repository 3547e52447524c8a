import Foundation

/// What a webhook carries: `{"type": …, "timestamp": …, "data": {…}}` (Standard Webhooks, "Payload structure"). The
/// data are the values of the message: the lead's columns, and what the step said.
struct WebhookContent {
    let bytes: [UInt8]

    /// Values that open something in the lead's name stay in the house.
    private static let secrets: Set<String> = ["unsubscribe_url", "preferences_url", "lead_key"]

    init(
        _ order: MailRenderer.Order, values: [String: String], numbers: [String: Int64] = [:],
        lists: [String: [String]] = [:], at now: Date
    ) throws {
        let texts = values.filter { !WebhookContent.secrets.contains($0.key) }.mapValues(Value.text)
        let data = texts.merging(numbers.mapValues(Value.number)) { _, number in number }
            .merging(lists.mapValues(Value.list)) { _, list in list }
        let payload = Payload(type: order.template, timestamp: Timestamp.internet(now), data: data)
        bytes = Array(try JSONEncoder.sorted.encode(payload))
    }

    private struct Payload: Encodable {
        let type: String
        let timestamp: String
        let data: [String: Value]
    }

    private enum Value: Encodable {
        case text(String)
        case number(Int64)
        case list([String])

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .list(let list): try container.encode(list)
            }
        }
    }
}

extension Timestamp {
    /// `2026-03-02T09:00:00.000Z` (RFC 3339).
    static func internet(_ date: Date) -> String {
        text(date).replacing(" ", with: "T") + "Z"
    }
}
