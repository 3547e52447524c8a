import Foundation
import Synchronization
import TrellisKernel

/// Wanted by SIGHUP, as `trellis apply` sends it: the process ends its work in order and begins anew with the config
/// as it is now. A config that is wrong is told of, and the one in force goes on. Of a file that was edited and not
/// applied it is said once how it comes into force.
struct Reload: Sendable {
    private static let wanted = Atomic(false)
    private let file: String
    private let isGood: @Sendable () throws -> Void
    private let watch: ConfigWatch

    /// - Parameter serves: whether the process also listens, which asks for a secret.
    init(_ global: GlobalOptions, serves: Bool) {
        file = global.config
        let isGood: @Sendable () throws -> Void = {
            let config = try global.load()
            try config.checkWhole()
            if serves, config.site.site.secret == nil { throw KernelError.noSecret }
        }
        self.isGood = isGood
        watch = ConfigWatch(
            file, inForce: { (try? ConfigHistory(of: global.databasePath()))?.current?.text }, check: isGood)
        // A handler of a signal may do nothing but set a flag (signal-safety(7)).
        signal(SIGHUP) { _ in Reload.wanted.store(true, ordering: .relaxed) }
    }

    /// Whether to end the work and begin anew. Asked again and again; each wish is looked at once.
    func isDue() -> Bool {
        guard Reload.wanted.exchange(false, ordering: .relaxed) else {
            tellOfEdit()
            return false
        }
        watch.pass()
        do {
            try isGood()
            return true
        } catch {
            TrellisProgram.complain("\(error)\nNothing was read again: the config before it goes on.")
            return false
        }
    }

    private func tellOfEdit() {
        switch watch.look() {
        case nil: break
        case .changed:
            TrellisProgram.note(
                "\(file) has changed and is not in force: 'trellis plan' shows what it would do, 'trellis apply' puts it into force."
            )
        case .wrong(let sentences):
            TrellisProgram.complain("\(sentences)\n\(file) has changed and is wrong: the config before it goes on.")
        }
    }

    /// Begins anew, as the same process with the same arguments (execve(2)).
    func begin() -> Never {
        TrellisProgram.note("Reading \(file) again.")
        fflush(nil)
        for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_DFL) }
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", arguments)
        TrellisProgram.complain("It cannot be started again: \(String(cString: strerror(errno))).")
        exit(71)
    }
}
