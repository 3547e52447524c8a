/// Variables of mails.
extension ConfigCheck {
    /// Says which variables of a mail nobody fills.
    ///
    /// - Parameter known: what the mail may name.
    func variables(of template: MailTemplate, called name: String, known: Set<String>, at place: Place) {
        for variable in template.variables.subtracting(known).sorted() {
            let advice = knownElsewhere[variable].map { " \($0)" } ?? NearMiss.hint(variable, among: known)
            problem("the mail '\(name)' names the unknown variable {{\(variable)}}.\(advice)", at: place)
        }
    }
}
