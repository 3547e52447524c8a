import Foundation
import TrellisKernel

/// Putting a config into force, with all that is asked and told on the way.
struct Application {
    let change: ConfigChange
    let way: ConfigHistory.Way
    let global: GlobalOptions
    let options: AdoptionOptions
    let note: String?

    func run() async throws {
        var change = change
        change.rebuilding = options.rebuild
        guard let changes = try await change.shownPlan(global) else { return }
        let exceeded = change.limits.exceeded(by: changes)
        guard exceeded.isEmpty || options.confirm else {
            throw KernelError.data(
                (exceeded + ["Nothing was changed. --confirm does it all the same."]).joined(separator: "\n"))
        }
        if !options.yes, !options.confirm {
            guard Terminal.attached(to: STDIN_FILENO).isTerminal else {
                throw KernelError.usage("Nobody is there to be asked. --yes does it without.")
            }
            print("Put this config into force? [y/N] ", terminator: "")
            fflush(nil)
            guard let answer = readLine()?.lowercased(), ["y", "yes"].contains(answer) else {
                print("Nothing was changed.")
                return
            }
        }
        let pid = try change.adopt(
            as: way, by: options.author ?? NSUserName(), note: note, planned: changes, writing: global.config)
        guard !global.json else { return }
        let when =
            pid.map { "The process that works on the file (pid \($0)) reads it again now" }
            ?? "It takes effect when 'trellis work' or 'trellis serve' starts"
        print("\(when). 'trellis config log' shows it, and 'trellis config rollback' goes back.")
    }
}
