extension ReceivedMail {
    /// The same for every copy of a mail: copies that came on two ways differ only in the headers of the way. What has
    /// none of these headers and no content is told apart by its bytes.
    public var digest: String {
        let identity = ["message-id", "date", "from", "subject"].map { root.headers[$0] }
        let isBare = root.content.isEmpty && identity.allSatisfy { $0 == nil }
        let text = identity.map { $0 ?? "" }.joined(separator: "\n")
        return Digest.hex(Array(text.utf8) + [0] + (isBare ? lines[...] : root.content))
    }
}
