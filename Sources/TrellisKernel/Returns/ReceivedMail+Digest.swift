extension ReceivedMail {
    /// The same for every copy of a mail: copies that came on two ways differ only in the headers of the way.
    public var digest: String {
        let identity = ["message-id", "date", "from", "subject"].map { root.headers[$0] ?? "" }
        return Digest.hex(Array(identity.joined(separator: "\n").utf8) + [0] + root.content)
    }
}
