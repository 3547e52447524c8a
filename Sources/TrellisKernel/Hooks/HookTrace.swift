import Foundation

/// Prints each call of a hook with its outcome to standard error. Switched on by `TRELLIS_TRACE=hooks`.
struct HookTrace: Sendable {
    let write: @Sendable (String) -> Void

    static func fromEnvironment(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> HookTrace? {
        guard environment["TRELLIS_TRACE"]?.split(separator: ",").contains("hooks") == true else { return nil }
        return HookTrace { line in FileHandle.standardError.write(Data((line + "\n").utf8)) }
    }

    func note(_ hook: HookID, _ outcome: String) {
        write("hook \(hook): \(outcome)")
    }
}
