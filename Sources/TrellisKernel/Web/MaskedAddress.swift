/// An address so that its owner knows it and nobody else learns it: `a•••@acme.example`.
public enum MaskedAddress {
    public static func of(_ address: String) -> String {
        let parts = address.split(separator: "@", maxSplits: 1)
        guard parts.count == 2, let first = parts[0].first else { return "•••" }
        return "\(first)•••@\(parts[1])"
    }
}
