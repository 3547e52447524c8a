extension ConfigCheck {
    /// Kinds of activity that are none: not spelt as a fact is, or a fact that Trellis itself states. A kind without
    /// fields is one.
    func activities() {
        for activity in config.site.activities {
            let kind = activity.name
            guard ConfigCheck.isKind(kind) else {
                problem(
                    "'\(kind)' is no kind of activity: it is what happened, as a noun, a dot and a verb in lower case, such as demo.booked.",
                    at: activity.place)
                continue
            }
            // What became of a mail may be told by whoever sends it for the site.
            if !kind.hasPrefix("mail."), KernelEvents.declarations.contains(where: { $0.kind == kind }) {
                problem(
                    "'\(kind)' is a fact that Trellis states by itself, and not one to be recorded. Call the activity otherwise.",
                    at: activity.place)
            }
        }
    }

    /// Two words or more of lower-case letters, digits and `_`, with dots between them.
    private static func isKind(_ text: String) -> Bool {
        let words = text.split(separator: ".", omittingEmptySubsequences: false)
        return words.count >= 2 && text.utf8.count <= 100
            && words.allSatisfy { word in
                word.utf8.first.map { (97...122).contains($0) } == true
                    && word.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
            }
    }
}
