import ServiceLifecycle

/// Ends the services when it is told to: a service that is over once the answer is yes.
struct EndWatch: Service {
    let shouldEnd: @Sendable () -> Bool

    func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled, !shouldEnd() {
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .milliseconds(200)) }
        }
    }
}
