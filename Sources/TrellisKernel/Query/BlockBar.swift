/// A bar of block letters, in eighths of a letter (https://www.unicode.org/charts/PDF/U2580.pdf).
public enum BlockBar {
    private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

    /// - Parameters:
    ///   - share: from 0 to 1; what lies beyond is cut.
    ///   - width: letters of a whole bar.
    public static func text(_ share: Double, width: Int) -> String {
        let parts = Int((min(max(share, 0), 1) * Double(width) * 8).rounded())
        return String(repeating: "█", count: parts / 8) + eighths[parts % 8]
    }
}
