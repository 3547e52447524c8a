import Foundation

/// Files that the config names.
extension ConfigCheck {
    /// A file of the site.
    public func file(_ path: LocatedText) { _ = isFile(path) }

    /// A file that strangers download. It lies in the folder of the config, is not hidden, and is neither the config
    /// nor the database.
    public func download(_ path: LocatedText) {
        guard isFile(path), let real = ConfigCheck.real(config.path(path.value)),
            let root = ConfigCheck.real(config.folder)
        else { return }
        let said = "'\(path.value)'"
        guard real.hasPrefix(root.hasSuffix("/") ? root : root + "/") else {
            return problem(
                "\(said) lies outside the folder of the config, and strangers would download it. Copy it into the folder.",
                at: path.place)
        }
        let below = path.value.hasPrefix("/") ? String(real.dropFirst(root.count)) : path.value
        if below.split(separator: "/").contains(where: { $0.hasPrefix(".") && $0 != "." && $0 != ".." }) {
            problem("\(said) is hidden, and strangers would download it. Name a file that is not.", at: path.place)
        }
        let own = [config.folder + "/" + (config.file as NSString).lastPathComponent]
        let database = ["", "-wal", "-shm", "-journal"].map { config.databasePath + $0 }
        for (files, noun) in [(own, "the config"), (database, "the database")]
        where files.contains(where: { ConfigCheck.real($0) == real }) {
            problem("\(said) is \(noun), and strangers would download it. Name another file.", at: path.place)
        }
    }

    /// Whether there is one; says so where there is none.
    private func isFile(_ path: LocatedText) -> Bool {
        let full = config.path(path.value)
        guard FileManager.default.isReadableFile(atPath: full), let real = ConfigCheck.real(full) else {
            problem("there is no file '\(path.value)' beside the config.", at: path.place)
            return false
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: real)
        guard attributes?[.type] as? FileAttributeType == .typeRegular else {
            problem("'\(path.value)' is a folder, or something else that is no file. Name a file.", at: path.place)
            return false
        }
        return true
    }

    /// The whole path with every symbolic link followed; nil where nothing is there.
    private static func real(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    /// A picture of a page: one of this site lies in its folder.
    public func picture(_ source: String, at place: Place) {
        guard source.hasPrefix(PublicPicture.prefix) else { return }
        guard let picture = PublicPicture(source: source) else {
            return problem(
                "'\(source)' is no picture. Its name ends in \(PublicPicture.types.joined(separator: ", ")).", at: place
            )
        }
        guard !FileManager.default.isReadableFile(atPath: picture.path(in: config)) else { return }
        problem(
            "there is no picture '\(picture.name)' in \(config.site.server.publicFolder)/. Put it there, or name another.",
            at: place)
    }
}
