extension Kernel {
    /// The mails of the site and of the plugins.
    public var templates: MailTemplates {
        MailTemplates(config: config, builtIn: Kernel.builtInMails(of: pluginTypes))
    }

    static func builtInMails(of types: [any Plugin.Type]) -> [String: String] {
        types.reduce(into: [:]) { mails, type in mails.merge(type.mails) { first, _ in first } }
    }
}
