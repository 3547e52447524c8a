import Foundation
import TrellisKernel

/// A sequence as a flat list of operations: an enrolment is at the number of the one that comes next. Jumps go forward
/// only, so that one pass over the operations, in order, takes every lead as far as it can go.
struct Program: Sendable, Hashable {
    private(set) var operations: [Operation] = []

    init(_ steps: [StepSettings]) {
        append(steps, label: "")
    }

    init(operations: [Operation]) {
        self.operations = operations
    }

    private mutating func append(_ steps: [StepSettings], label: String) {
        for (index, step) in steps.enumerated() {
            let here = "\(label)\(index + 1)"
            if step.condition != nil || !step.waitFor.isEmpty {
                appendFork(step, label: here)
            } else {
                operations.append(Operation(label: here, act: Program.act(of: step, label: here)))
            }
        }
    }

    private static func act(of step: StepSettings, label: String) -> Operation.Act {
        if let wait = step.wait { return .wait(seconds: wait.seconds) }
        if let moment = step.waitUntil { return .waitUntil(moment: moment.value) }
        if let mail = step.mail { return .mail(name: mail.value, withinSeconds: step.within?.seconds) }
        if let webhook = step.webhook { return .webhook(name: webhook.value) }
        if let sequence = step.enter { return .enter(sequence: sequence.value) }
        if let task = step.task {
            return .task(.init(to: task.to, kind: task.kind, text: task.text.value, dueSeconds: task.due.seconds))
        }
        if let test = step.test {
            return .test(
                .init(
                    name: test.name ?? label, mails: test.mails.map { .init(mail: $0.name, weight: $0.value) },
                    holdout: test.holdout, optimise: test.optimise, withinSeconds: test.within.seconds))
        }
        if !step.set.isEmpty {
            return .set(
                columns: step.set.map { column in
                    let text = column.value.value
                    return .init(column: column.name, value: StepSettings.isNull(text) ? nil : text)
                })
        }
        return step.exit.flatMap { StepSettings.isThisSequence($0.value) ? nil : .leave(sequence: $0.value) } ?? .exit
    }

    /// An operation with a way on for each of two cases: the next one, and the one after its `then`.
    private mutating func appendFork(_ step: StepSettings, label: String) {
        let fork = operations.count
        operations.append(Operation(label: label, act: .exit))
        append(step.then, label: "\(label).then.")
        var otherwise = operations.count
        if !step.otherwise.isEmpty {
            let jump = operations.count
            operations.append(Operation(label: label, act: .jump(to: 0)))
            otherwise = operations.count
            append(step.otherwise, label: "\(label).else.")
            operations[jump].act = .jump(to: operations.count)
        }
        let others = step.waitFor.dropFirst().map(\.value)
        operations[fork].act =
            step.condition.map { .branch(condition: $0.value, otherwise: otherwise) }
            ?? .waitFor(
                kind: step.waitFor.first?.value ?? "", others: others.isEmpty ? nil : others,
                condition: step.waitCondition?.value, seconds: step.atMost?.seconds,
                otherwise: otherwise)
    }

    /// Where a lead begins: behind the wait that a sequence begins with, which it enters waiting.
    var entry: (step: Int, wait: Span?) {
        if case .wait(let seconds) = operations.first?.act { (1, Span(seconds: seconds)) } else { (0, nil) }
    }

    /// The kinds of event it waits for; a day of a lead may be moved.
    var awaitedKinds: Set<String> {
        Set(
            operations.flatMap {
                if case .waitUntil(.column) = $0.act { ["lead.updated"] } else { $0.awaitedKinds }
            })
    }

    var tests: [Operation.SplitTest] {
        operations.compactMap {
            if case .test(let test) = $0.act { test } else { nil }
        }
    }

    /// Each operation in words, for `trellis sequences show`.
    var lines: [String] { operations.map(\.description) + ["end"] }

    /// In words, what a lead at a step waits for: an event, or what comes when its time is up. Nil where there is no
    /// such step.
    func next(step: Int, restingAt wait: Int?) -> String? {
        guard operations.indices.contains(step) || step == operations.count else { return nil }
        if let wait, operations.indices.contains(wait), case .waitFor = operations[wait].act { return lines[wait] }
        var place = step
        while operations.indices.contains(place), case .jump(let target) = operations[place].act {
            place = target
        }
        return lines.indices.contains(place) ? lines[place] : nil
    }

    // MARK: - In the database

    /// The operations as JSON; the same program gives the same text.
    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return String(decoding: try encoder.encode(operations), as: UTF8.self)
        }
    }

    init(text: String) throws {
        operations = try JSONDecoder().decode([Operation].self, from: Data(text.utf8))
    }
}

extension StepSettings {
    /// `exit: true`.
    static func isThisSequence(_ text: String) -> Bool { ["true", "yes", "on"].contains(text.lowercased()) }

    /// `set: {city: null}`.
    static func isNull(_ text: String) -> Bool { ["null", "~"].contains(text) }
}
