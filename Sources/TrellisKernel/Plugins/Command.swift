/// A command of a plugin as a value, so that a plugin needs no command-line library.
public struct Command: Sendable {
    /// `["scoring", "explain"]`.
    public let path: [String]
    public let summary: String
    /// Positional arguments in order; a name that ends in `?` may be left out, and the last one, where it ends in `…`,
    /// given any number of times.
    public let arguments: [String]
    /// `--name VALUE` options with their help.
    public let options: KeyValuePairs<String, String>
    /// `--name` options without a value, with their help; one that is given has the value "true".
    public let flags: KeyValuePairs<String, String>
    /// The option that names another config beside the one in force. `--config` is taken for it where it names a file
    /// that is not in force, and the command is called with nothing else that names one.
    public let otherConfig: String?
    let run: @Sendable (CommandCall) throws -> CommandResult

    public init(
        _ path: String, _ summary: String, arguments: [String] = [], options: KeyValuePairs<String, String> = [:],
        flags: KeyValuePairs<String, String> = [:], otherConfig: String? = nil,
        run: @escaping @Sendable (CommandCall) throws -> CommandResult
    ) {
        self.path = path.split(separator: " ").map(String.init)
        self.summary = summary
        self.arguments = arguments
        self.options = options
        self.flags = flags
        self.otherConfig = otherConfig
        self.run = run
    }

    /// Runs it on a kernel.
    public func callAsFunction(_ call: CommandCall) throws -> CommandResult {
        try run(call)
    }
}

/// What a command was called with.
public struct CommandCall: Sendable {
    public let kernel: Kernel
    public let arguments: [String]
    public let options: [String: String]

    public init(kernel: Kernel, arguments: [String] = [], options: [String: String] = [:]) {
        self.kernel = kernel
        self.arguments = arguments
        self.options = options
    }
}

/// What a command has to show.
public enum CommandResult: Sendable {
    case table(Table)
    /// A table, and a sentence below it.
    case tableWithNote(Table, String)
    case text(String)
    /// A page or a part of one, by the name of its template, with its values.
    case page(String, PageValues)
}
