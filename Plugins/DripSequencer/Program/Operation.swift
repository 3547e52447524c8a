import TrellisKernel

/// One operation of a sequence. It is written to the database with its version, so its cases and their labels are never
/// renamed.
struct Operation: Sendable, Hashable, Codable {
    /// The place of the step in the config: `3`, or `4.then.1`. It is part of the key of what the step sends.
    var label: String
    var act: Act

    enum Act: Sendable, Hashable, Codable {
        case wait(seconds: Int)
        case waitUntil(moment: Moment)
        /// The event, or the first of it and `others`, takes the lead to the next operation, the time that is up to
        /// `otherwise`. A single one is written without `others`, as it was before there could be several.
        case waitFor(kind: String, others: [String]? = nil, condition: String?, seconds: Int?, otherwise: Int)
        /// Worth sending for so many seconds; nil for as long as its front matter says.
        case mail(name: String, withinSeconds: Int? = nil)
        case test(SplitTest)
        case task(TaskOrder)
        case webhook(name: String)
        case branch(condition: String, otherwise: Int)
        case jump(to: Int)
        case set(columns: [Assignment])
        case enter(sequence: String)
        case leave(sequence: String)
        case exit
    }

    struct Assignment: Sendable, Hashable, Codable {
        var column: String
        /// Nil for NULL.
        var value: String?
    }

    /// Something a person is to do.
    struct TaskOrder: Sendable, Hashable, Codable {
        var to: String
        var kind: String
        var text: String
        var dueSeconds: Int
    }

    /// One of several mails.
    struct SplitTest: Sendable, Hashable, Codable {
        var name: String
        var mails: [Arm]
        var holdout: Double
        var optimise: TestSettings.Outcome
        var withinSeconds: Int

        struct Arm: Sendable, Hashable, Codable {
            var mail: String
            var weight: Double
        }

        /// Whether it asks the same question, wherever it stands and whatever the shares it begins with.
        func isSame(as other: SplitTest) -> Bool {
            Set(mails.map(\.mail)) == Set(other.mails.map(\.mail)) && optimise == other.optimise
                && (holdout > 0) == (other.holdout > 0)
        }
    }

    /// Whether a lead rests here.
    var isWait: Bool {
        switch act {
        case .wait, .waitUntil, .waitFor: true
        default: false
        }
    }

    /// The kinds of event it waits for.
    var awaitedKinds: [String] {
        if case .waitFor(let kind, let others, _, _, _) = act { [kind] + (others ?? []) } else { [] }
    }

    /// The same wherever in a program it stands: the act without the places it leads to.
    var essence: Act {
        switch act {
        case .waitFor(let kind, let others, let condition, let seconds, _):
            .waitFor(kind: kind, others: others, condition: condition, seconds: seconds, otherwise: 0)
        case .branch(let condition, _): .branch(condition: condition, otherwise: 0)
        case .jump: .jump(to: 0)
        default: act
        }
    }
}

extension Operation: CustomStringConvertible {
    /// In words, for `trellis sequences show`.
    var description: String {
        switch act {
        case .wait(let seconds): "wait \(Span(seconds: seconds))"
        case .waitUntil(let moment): "wait until \(moment)"
        case .waitFor(_, _, let condition, let seconds, let otherwise):
            "wait for \(awaitedKinds.joined(separator: " or "))" + (condition.map { " where \($0)" } ?? "")
                + (seconds.map { ", at most \(Span(seconds: $0)), then go to \(otherwise)" } ?? "")
        case .mail(let name, let seconds):
            "mail \(name)" + (seconds.map { ", within \(Span(seconds: $0))" } ?? "")
        case .test(let test):
            "test " + test.mails.map(\.mail).joined(separator: " against ")
                + (test.holdout > 0 ? ", \(Int((test.holdout * 100).rounded())) % get none" : "")
        case .task(let order): "task \(order.kind) for \(order.to)"
        case .webhook(let name): "webhook \(name)"
        case .branch(let condition, let otherwise): "if not (\(condition)) go to \(otherwise)"
        case .jump(let target): "go to \(target)"
        case .set(let columns): "set " + columns.map { "\($0.column) = \($0.value ?? "NULL")" }.joined(separator: ", ")
        case .enter(let sequence): "enter \(sequence)"
        case .leave(let sequence): "exit \(sequence)"
        case .exit: "exit"
        }
    }
}
