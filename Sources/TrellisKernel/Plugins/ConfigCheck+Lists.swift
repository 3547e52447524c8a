/// Lists of mail beside the purposes of consent that the config asks for.
extension ConfigCheck {
    /// What is compared once every section was read.
    struct Lists {
        /// The purposes that forms ask for.
        var asked: Set<String> = []
        /// The lists that sections name.
        var named: [LocatedText] = []
    }

    /// A list that mails are sent to: noted where a form asks for one that is almost called so.
    public func list(_ name: LocatedText) { lists.named.append(name) }

    /// A misspelt list is one that nobody agreed to: all of its mail would be cancelled, one by one. Consent comes with
    /// imports too, so that a list of another name than those of the forms may well be meant.
    func compareLists() {
        let mails = templates.files.filter(\.conditions.isEmpty).compactMap { file in
            // One that cannot be read is said where it is used.
            (try? templates.template(file))?.list.map {
                Located($0, at: Place(file: templates.display(file.file), path: "list"))
            }
        }
        let known = lists.asked.union([config.site.mail.consent])
        for list in lists.named + mails {
            let hint = NearMiss.hint(list.value, among: known)
            guard !hint.isEmpty else { continue }
            note("no form asks for consent to '\(list.value)', and mail of this list needs it.\(hint)", at: list.place)
        }
    }
}
