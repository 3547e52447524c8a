/// The name a file is saved under, in a header that no name can break out of.
struct FileName: Sendable {
    private let name: String

    init(_ name: String) {
        let plain = name.split(separator: "/").last.map(String.init) ?? ""
        let safe = plain.unicodeScalars.filter {
            $0.value >= 32 && $0.value != 127 && !"\"\\/:*?<>|".unicodeScalars.contains($0)
        }
        let text = String(String.UnicodeScalarView(safe)).drop { $0 == "." || $0 == " " }
        self.name = text.isEmpty ? "download" : String(text.prefix(150))
    }

    /// `attachment; filename="plan.pdf"; filename*=UTF-8''pl%C3%A4ne.pdf` (RFC 6266, RFC 8187).
    var attachment: String {
        let ascii = String(name.map { $0.isASCII ? $0 : "_" })
        guard ascii != name else { return "attachment; filename=\"\(ascii)\"" }
        let encoded = name.utf8.map { byte in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || [45, 46, 95].contains(byte)
            return isPlain
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16).uppercased()
        }.joined()
        return "attachment; filename=\"\(ascii)\"; filename*=UTF-8''\(encoded)"
    }
}

/// The media type of a file by the end of its name.
enum FileType {
    static func of(_ name: String) -> String {
        let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
        return known[ending] ?? "application/octet-stream"
    }

    private static let known = [
        "pdf": "application/pdf", "zip": "application/zip", "csv": "text/csv; charset=utf-8",
        "txt": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8", "epub": "application/epub+zip",
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "svg": "image/svg+xml",
        "avif": "image/avif", "gif": "image/gif", "ico": "image/x-icon", "webp": "image/webp", "mp3": "audio/mpeg",
        "mp4": "video/mp4", "json": "application/json", "xml": "application/xml",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ]
}
