import Foundation

/// What a file descriptor can show: whether a person looks at it, how wide it is, and if colour is welcome.
///
/// ```swift
/// let terminal = Terminal.attached(to: STDOUT_FILENO)
/// print(format.rendered(table, width: terminal.width, colour: terminal.allowsColour), terminator: "")
/// ```
public struct Terminal: Sendable, Hashable {
    /// The width of a terminal that will not say how wide it is, in cells.
    static let widthDefault = 80

    /// Whether the descriptor is a terminal and not a file or a pipe.
    public let isTerminal: Bool

    /// The width in cells, or `nil` when the descriptor is not a terminal and has no width.
    public let width: Int?

    /// Whether escape sequences may be written; see `allowsColour(isTerminal:environment:)`.
    public let allowsColour: Bool

    /// Looks at an open descriptor, such as `STDOUT_FILENO`, as it is now; a window may be resized later.
    public static func attached(
        to descriptor: Int32,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Terminal {
        let isTerminal = isTerminal(descriptor)
        return Terminal(
            isTerminal: isTerminal,
            width: isTerminal ? width(of: descriptor, environment: environment) : nil,
            allowsColour: allowsColour(isTerminal: isTerminal, environment: environment)
        )
    }

    /// Whether the descriptor is a terminal.
    public static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// The width of the window behind a descriptor, in cells: what the kernel says, else the variable
    /// COLUMNS, else 80.
    public static func width(of descriptor: Int32, environment: [String: String]) -> Int {
        var size = winsize()
        if ioctl(descriptor, numericCast(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            return Int(size.ws_col)
        }
        if let columns = environment["COLUMNS"].flatMap({ Int($0) }), columns > 0 {
            return columns
        }
        return widthDefault
    }

    /// Whether escape sequences may be written: never to a file or a pipe, nor with TERM=dumb, nor when
    /// NO_COLOR is set to anything but the empty string (https://no-color.org).
    public static func allowsColour(isTerminal: Bool, environment: [String: String]) -> Bool {
        isTerminal && environment["TERM"] != "dumb" && (environment["NO_COLOR"] ?? "").isEmpty
    }

    /// The styles for this terminal; plain text where colour is not allowed.
    public var style: TextStyle { TextStyle(isColoured: allowsColour) }
}

/// Emphasis for text on a terminal. Without colour each function gives its text back unchanged.
///
/// The text must not be styled already: the end of the inner style would end the outer one.
public struct TextStyle: Sendable, Hashable {
    /// Whether the functions add escape sequences.
    public let isColoured: Bool

    /// Makes the styles; `isColoured` decides if they do anything.
    public init(isColoured: Bool) {
        self.isColoured = isColoured
    }

    /// Text in a heavier weight.
    public func bold(_ text: String) -> String { styled(text, code: 1) }

    /// Text that steps back behind the rest.
    public func dim(_ text: String) -> String { styled(text, code: 2) }

    /// Text for what went wrong.
    public func red(_ text: String) -> String { styled(text, code: 31) }

    /// Text for what went well.
    public func green(_ text: String) -> String { styled(text, code: 32) }

    /// Text for what wants attention.
    public func yellow(_ text: String) -> String { styled(text, code: 33) }

    /// Codes are those of "Select Graphic Rendition", ECMA-48 section 8.3.117.
    private func styled(_ text: String, code: Int) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
