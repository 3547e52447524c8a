import TrellisKernel

/// A sequence as a flat list of operations: an enrolment is at the number of the one that comes next. Jumps go forward
/// only, so that one pass over the operations, in order, takes every lead as far as it can go.
struct Program: Sendable {
    enum Operation: Sendable {
        case wait(Span)
        /// `label` is the place of the step in the config: `3`, or `4.then.1`. It is part of the key of the message.
        case mail(String, label: String)
        case branch(when: String, otherwise: Int)
        case jump(to: Int)
        case set([Named<LocatedText>])
        case exit
    }

    private(set) var operations: [Operation] = []

    init(_ steps: [DripSettings.Step]) {
        append(steps, label: "")
    }

    private mutating func append(_ steps: [DripSettings.Step], label: String) {
        for (index, step) in steps.enumerated() {
            let here = "\(label)\(index + 1)"
            if let wait = step.wait {
                operations.append(.wait(wait))
            } else if let mail = step.mail {
                operations.append(.mail(mail.value, label: here))
            } else if let condition = step.condition {
                appendBranch(condition.value, step, label: here)
            } else if !step.set.isEmpty {
                operations.append(.set(step.set))
            } else {
                operations.append(.exit)
            }
        }
    }

    private mutating func appendBranch(_ condition: String, _ step: DripSettings.Step, label: String) {
        let branch = operations.count
        operations.append(.branch(when: condition, otherwise: 0))
        append(step.then, label: "\(label).then.")
        let jump = operations.count
        operations.append(.jump(to: 0))
        append(step.otherwise, label: "\(label).else.")
        operations[branch] = .branch(when: condition, otherwise: jump + 1)
        operations[jump] = .jump(to: operations.count)
    }

    /// Where a lead begins: behind the wait that a sequence begins with, which it enters waiting.
    var entry: (step: Int, wait: Span?) {
        if case .wait(let span) = operations.first { (1, span) } else { (0, nil) }
    }

    /// Each operation in words, for `trellis sequences show`.
    var lines: [String] {
        operations.map { operation in
            switch operation {
            case .wait(let span): "wait \(span)"
            case .mail(let name, _): "mail \(name)"
            case .branch(let condition, let otherwise): "if not (\(condition)) go to \(otherwise)"
            case .jump(let target): "go to \(target)"
            case .set(let columns): "set " + columns.map { "\($0.name) = \($0.value.value)" }.joined(separator: ", ")
            case .exit: "exit"
            }
        } + ["end"]
    }
}
