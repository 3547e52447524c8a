import CTrellisProcess
import Foundation
import TrellisKernel

/// A process of its own that answers one question in SQL and is gone afterwards: killed once its time is up, whatever
/// it is in the middle of, and always reaped.
public struct QueryChild: Sendable {
    /// The program and its arguments: the server's own, told to answer a question.
    let program: [String]

    /// - Parameter program: the program and its arguments; ``GuardedQuery/command`` tells this one to answer.
    public init(program: [String]) {
        self.program = program
    }

    /// Of what a process writes no more is read than this beyond the rows it was allowed.
    private static let overheadMax = 1 << 20

    /// Asks and waits: blocks its thread for as long as the question may take, and no longer.
    ///
    /// - Throws: ``QueryProblem`` where no process could be started.
    public func answer(_ query: GuardedQuery) throws(QueryProblem) -> QueryAnswer {
        let start = ContinuousClock.now
        guard let question = Pipe(), let reply = Pipe() else { throw QueryChild.notStarted }
        var process = pid_t()
        let arguments = program.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        let code = trellis_spawn(program[0], arguments, question.reading, reply.writing, &process)
        question.closeReading()
        reply.closeWriting()
        guard code == 0 else { throw QueryChild.notStarted }
        let budget = Duration.seconds(query.allowance.seconds + GuardedQuery.Allowance.graceSeconds)
        var talk = Talk(
            question: Array(query.text.utf8), input: question, output: reply, deadline: start + budget,
            bytesMax: query.allowance.bytes + QueryChild.overheadMax)
        let isComplete = talk.run()
        // A process that said all it had to is ending by itself, and one that did not must not go on.
        if !isComplete { kill(process, SIGKILL) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        return QueryAnswer(
            frames: AnswerFrame.read(talk.received), isOutOfTime: !isComplete, allowance: query.allowance,
            elapsed: ContinuousClock.now - start)
    }

    private static let notStarted = QueryProblem(.busy, "The question could not be asked just now. Try again.")
}

/// A pipe whose ends no other process inherits, and which are closed when nobody holds it any more.
private final class Pipe {
    private(set) var reading: Int32
    private(set) var writing: Int32

    /// Nil where there are no descriptors left.
    init?() {
        var (reading, writing) = (Int32(-1), Int32(-1))
        guard trellis_pipe(&reading, &writing) == 0 else { return nil }
        (self.reading, self.writing) = (reading, writing)
        // As standard input and output of the process that inherits them, which are moved there one by one.
        guard reading > 2, writing > 2 else { return nil }
    }

    deinit {
        closeReading()
        closeWriting()
    }

    func closeReading() {
        if reading >= 0 { close(reading) }
        reading = -1
    }

    func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }

    /// What is read and written from here on does not wait.
    func stopWaiting() {
        for end in [reading, writing] where end >= 0 { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    }
}

/// One question written and its answer read, both as far as the other end takes part, until a deadline.
private struct Talk {
    let question: [UInt8]
    let input: Pipe
    let output: Pipe
    let deadline: ContinuousClock.Instant
    let bytesMax: Int
    private(set) var received: [UInt8] = []
    private var sent = 0

    init(question: [UInt8], input: Pipe, output: Pipe, deadline: ContinuousClock.Instant, bytesMax: Int) {
        self.question = question
        self.input = input
        self.output = output
        self.deadline = deadline
        self.bytesMax = bytesMax
    }

    /// - Returns: whether the other end closed before the deadline.
    mutating func run() -> Bool {
        input.stopWaiting()
        output.stopWaiting()
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let left = ContinuousClock.now.duration(to: deadline).milliseconds
            guard left > 0 else { return false }
            var waits = [pollfd(fd: output.reading, events: Int16(POLLIN), revents: 0)]
            if input.writing >= 0 { waits.append(pollfd(fd: input.writing, events: Int16(POLLOUT), revents: 0)) }
            let ready = poll(&waits, nfds_t(waits.count), Int32(clamping: left))
            if ready < 0, errno != EINTR { return false }
            guard ready > 0 else { continue }
            if waits.count > 1, waits[1].revents != 0 { send() }
            guard waits[0].revents != 0 else { continue }
            let count = read(output.reading, &block, block.count)
            if count == 0 { return true }
            if count < 0 {
                guard [EAGAIN, EINTR].contains(errno) else { return false }
                continue
            }
            received.append(contentsOf: block[..<count])
            guard received.count <= bytesMax else { return false }
        }
    }

    /// SIGPIPE is ignored in this program, so that a process that is gone is an error here and no more.
    private mutating func send() {
        let count = question[sent...].withUnsafeBytes { write(input.writing, $0.baseAddress, $0.count) }
        if count < 0, [EAGAIN, EINTR].contains(errno) { return }
        sent += max(count, 0)
        if count < 0 || sent == question.count { input.closeWriting() }
    }
}
