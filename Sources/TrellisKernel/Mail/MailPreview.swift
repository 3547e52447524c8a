import Foundation

/// Shows mails without sending them, and sends one to somebody of the house to look at.
public struct MailPreview: Sendable {
    private let kernel: Kernel
    private let renderer: MailRenderer

    public init(_ kernel: Kernel) {
        self.kernel = kernel
        renderer = MailRenderer(config: kernel.config, templates: kernel.templates)
    }

    /// A mail as it would reach a lead.
    public struct Page: Sendable {
        /// The file it was made from; the mail's name where a plugin brought it.
        public let file: String
        public let subject: String
        public let text: String
        public let html: String
        /// What would hold the mail or has to be mended: variables without a value, for which their names stand.
        public let problems: [String]
    }

    /// One mail of the list.
    public struct Entry: Sendable, Hashable {
        public let name: String
        public let purpose: String
        public let subject: String
        /// The files of its variants.
        public let variants: [String]
        /// Where the config names it: `plugins.drip.sequences.welcome.steps.1.mail`.
        public let uses: [String]
        /// Why it, or a variant of it, cannot be read; then purpose and subject may be empty.
        public var problem: String?
    }

    /// Every mail there is, and where it is used. One that cannot be read says why, and hides no other.
    public func list() throws -> [Entry] {
        let uses = try Dictionary(grouping: kernel.config.mailUses(plugins: kernel.pluginTypes), by: \.value)
        let files = renderer.templates.files
        return renderer.templates.names.compactMap { name in
            let variants = files.filter { $0.name == name && !$0.conditions.isEmpty }
            var problems: [String] = []
            func read(_ template: () throws -> MailTemplate?) -> MailTemplate? {
                do { return try template() } catch { problems.append("\(error)") }
                return nil
            }
            let template = read { try renderer.templates.named(name) }
            for variant in variants { _ = read { try renderer.templates.template(variant) } }
            guard template != nil || !problems.isEmpty else { return nil }
            return Entry(
                name: name, purpose: template?.purpose.rawValue ?? "", subject: template?.subject ?? "",
                variants: variants.map(\.file), uses: (uses[name] ?? []).map(\.place.path),
                problem: problems.isEmpty ? nil : problems.joined(separator: " "))
        }
    }

    /// Makes a mail for a lead, or for nobody in particular. Nothing is written.
    ///
    /// - Throws: ``KernelError`` where there is no such mail or lead, ``MailTemplateProblem`` where it cannot be read.
    public func render(_ name: String, lead: Int64? = nil) throws -> Page {
        try kernel.write(origin: "cli") { tx in
            var page: Page?
            try tx.db.inSavepoint {
                let (message, file, problems) = try message(
                    name, lead: lead, to: "you@example.com", id: 0, key: "preview", tx)
                page = Page(
                    file: file, subject: message.subject, text: message.text, html: message.html ?? "",
                    problems: problems)
                return .rollback
            }
            guard let page else { throw KernelError.data("There is no mail '\(name)'.") }
            return page
        }
    }

    /// Puts a mail into the outbox for somebody of the house, with "[Test] " before its subject. It is about no lead:
    /// it asks nobody's consent and is counted for nobody.
    ///
    /// - Returns: the id of the message.
    @discardableResult
    public func send(_ name: String, to address: String, lead: Int64? = nil) throws -> Int64 {
        // As a lead's: eva@bücher.example goes by the name that mail knows the domain by.
        let known = try? EmailAddress(address).address
        guard let to = MailAddress(parsing: known ?? address) else {
            throw KernelError.usage("'\(address)' is no address a mail can be sent to.")
        }
        return try kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO outbox_messages (key, purpose, origin, recipient, template, ready_at, created_at)
                    SELECT 'test:' || :mail || ':' || :now || ':' || (SELECT coalesce(max(id), 0) FROM outbox_messages), 'internal', 'cli', :to, :mail, :now, :now
                    """, arguments: ["mail": name, "to": to.address, "now": tx.stamp])
            let id = tx.db.lastInsertedRowID
            // By the key of the row, so that an answer to it, or that it bounced, is known for one to this mail.
            let key = try String.fetchOne(
                tx.db, sql: "SELECT key FROM outbox_messages WHERE id = ?", arguments: [id])
            var (message, _, _) = try message(name, lead: lead, to: to.address, id: id, key: key ?? "", tx)
            message.subject = "[Test] " + message.subject
            message.headers = [(name: "Auto-Submitted", value: "auto-generated")]
            do {
                try tx.db.execute(
                    sql: "UPDATE outbox_messages SET content = ? WHERE id = ?",
                    arguments: [Data(try message.rendered()), id])
            } catch let problem as MailProblem {
                throw KernelError.data("\(problem)")
            }
            return id
        }
    }

    private func message(
        _ name: String, lead: Int64?, to recipient: String, id: Int64, key: String, _ tx: Transaction
    ) throws -> (MailMessage, file: String, problems: [String]) {
        if let lead,
            try Bool.fetchOne(tx.db, sql: "SELECT EXISTS (SELECT 1 FROM leads WHERE id = ?)", arguments: [lead]) != true
        {
            throw KernelError.noLead(String(lead))
        }
        guard let plain = try renderer.templates.named(name) else {
            throw KernelError.data("There is no mail '\(name)'.\(NearMiss.hint(name, among: renderer.templates.names))")
        }
        let purpose = MessagePurpose(rawValue: plain.purpose.rawValue) ?? .marketing
        // A footer needs somebody to leave; nobody has the number 0.
        var order = MailRenderer.Order(
            id: id, key: key, origin: "cli", purpose: purpose, leadID: lead ?? 0, template: name)
        order.list = plain.list
        var values = try MailValues(kernel: kernel).values(of: order, tx)
        guard let template = try renderer.templates.named(name, values: values) else {
            throw KernelError.data("There is no mail '\(name)'.")
        }
        var problems: [String] = []
        for placeholder in template.missing(values) {
            let kind = MailTemplateProblem.Kind.missingValue(placeholder.name)
            problems.append("\(MailTemplateProblem(template: template.name, line: placeholder.line, kind: kind))")
            values[placeholder.name] =
                placeholder.name.hasSuffix("_url")
                ? "\(kernel.config.site.site.baseURL)/preview/\(placeholder.name)" : "[\(placeholder.name)]"
        }
        do {
            var message = try renderer.message(of: order, values: values, recipient: recipient)
            message.date = tx.now
            return (message, template.name, problems)
        } catch let hold as MailRenderer.Hold {
            throw KernelError.data("The mail '\(name)' would be held: \(hold).")
        }
    }
}
