extension Kernel {
    static func builtInMails(of types: [any Plugin.Type]) -> [String: String] {
        types.reduce(into: [:]) { mails, type in mails.merge(type.mails) { first, _ in first } }
    }
}
