import Foundation

/// A picture of the site, `/public/NAME`, as pages and mails name it.
///
/// Nothing but pictures is given out: what is promised for an address may lie beside them.
public struct PublicPicture: Sendable, Hashable {
    public static let prefix = "/public/"
    /// How its name ends.
    public static let types = ["avif", "gif", "ico", "jpeg", "jpg", "png", "svg", "webp"]

    public let name: String

    /// - Parameter name: of a file in the folder; nil for what is no picture by its ending, and for what might lie
    ///   elsewhere.
    public init?(name: String) {
        let ending = name.split(separator: ".").dropFirst().last.map { $0.lowercased() } ?? ""
        guard PublicPicture.types.contains(ending), !name.hasPrefix("."), name.utf8.count <= 200,
            !name.utf8.contains(where: { $0 < 32 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") })
        else { return nil }
        self.name = name
    }

    /// - Parameter source: what a page names; nil for a picture of another site, or one that a proxy gives out.
    public init?(source: String) {
        guard source.hasPrefix(PublicPicture.prefix) else { return nil }
        let name = String(source.dropFirst(PublicPicture.prefix.count))
        self.init(name: name.removingPercentEncoding ?? name)
    }

    /// Where it lies.
    public func path(in config: Config) -> String { config.path(config.site.server.publicFolder + "/" + name) }
}
