/// The words of the text format of Prometheus.
///
/// Source: https://prometheus.io/docs/concepts/data_model/ for the names, and
/// https://prometheus.io/docs/instrumenting/exposition_formats/ for the rest.
enum PrometheusText {
    /// Characters of the value of a label; what is longer is cut.
    static let valueLengthMax = 200

    private static let prefix = "trellis_"

    /// The name of a metric: `http.requests` becomes `trellis_http_requests_total`.
    static func name(_ label: String, _ kind: PrometheusKind) -> String {
        var name = sanitised(label, allowsColon: true)
        if !name.hasPrefix(prefix) { name = prefix + name }
        return kind == .counter && !name.hasSuffix("_total") ? name + "_total" : name
    }

    /// The labels as they are written between braces, in the order of their names.
    ///
    /// An empty value is the same as no label to Prometheus. Of two labels of one name the first counts, because the
    /// file would be invalid with both.
    static func labels(_ dimensions: [(String, String)], _ kind: PrometheusKind) -> String {
        var texts: [String: String] = [:]
        for (label, value) in dimensions where !value.isEmpty {
            let name = labelName(label, kind)
            if texts[name] == nil { texts[name] = "\(name)=\"\(escaped(value, quote: true, most: valueLengthMax))\"" }
        }
        return texts.sorted { $0.key < $1.key }.map(\.value).joined(separator: ",")
    }

    /// Two underscores begin the labels of Prometheus itself, and `le` is the bound of a bucket.
    private static func labelName(_ label: String, _ kind: PrometheusKind) -> String {
        var name = sanitised(label, allowsColon: false)
        if name.utf8.first.map({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) ?? true { name = "_" + name }
        if name.hasPrefix("__") { name = "_" + name.drop { $0 == "_" } }
        return kind == .histogram && name == "le" ? "le_" : name
    }

    /// The text with an underscore for every character that no name may hold.
    private static func sanitised(_ text: String, allowsColon: Bool) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": output.append(scalar)
            case ":" where allowsColon: output.append(scalar)
            default: output.append("_")
            }
        }
        return String(output)
    }

    /// The text of a label or of a HELP line. Scalars, because CR and LF are one character in Swift.
    static func escaped(_ text: String, quote: Bool, most: Int = .max) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(most) {
            switch scalar {
            case "\\": output.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": output.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quote: output.append(contentsOf: "\\\"".unicodeScalars)
            default: output.append(scalar)
            }
        }
        return String(output)
    }

    /// A number as Go reads it.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return value.description
    }

    /// Appends the line of a sample.
    static func sample(_ name: String, _ labels: String, _ value: String, to output: inout String) {
        output += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
