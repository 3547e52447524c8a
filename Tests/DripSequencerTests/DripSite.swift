import DripSequencer
import TrellisKernel
import TrellisTesting

/// A CRM with one sequence, `course`.
enum DripSite {
    static let files = Dictionary(
        uniqueKeysWithValues: ["one", "two", "three"].map {
            ("mails/\($0).md", "---\nsubject: Lesson \($0)\npurpose: marketing\n---\nHello {{first_name|there}}.\n")
        })

    static func yaml(_ sequence: String) -> String {
        """
        activities: {course.started: {plan: text}, course.left: {}, course.bought: {}}
        plugins: {drip: {sequences: {course: {\(sequence)}}}}
        """
    }

    static func crm(_ sequence: String, before: String = "", files more: [String: String] = [:]) throws -> TestKernel {
        try TestKernel(
            before + "\n" + yaml(sequence), plugins: [DripSequencer.self], files: files.merging(more) { $1 })
    }
}

extension TestKernel {
    /// A lead that agreed to mail.
    @discardableResult
    func lead(_ email: String, _ title: String = "") throws -> Int64 {
        try capture(["email": email, "title": title], consents: ["newsletter"])
    }

    /// `lead|cycle|state|reason`, in the order of the enrolments.
    var enrolments: [String] {
        get throws { try rows("SELECT lead_id, cycle, state, reason FROM drip_enrolments ORDER BY id") }
    }

    var keys: [String] {
        get throws { try rows("SELECT key FROM outbox_messages ORDER BY id") }
    }
}
