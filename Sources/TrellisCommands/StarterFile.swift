/// A file that `trellis init` lays down.
struct StarterFile: Sendable {
    let name: String
    let text: String

    /// Its name in the new folder: `gitignore.txt` is kept here under a name that git does not act upon.
    var target: String {
        name == "gitignore.txt" ? ".gitignore" : name
    }
}
