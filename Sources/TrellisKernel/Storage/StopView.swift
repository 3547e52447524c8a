/// Keeps the view `plugin_stops`: what stands still in the plugins that are on, for `trellis status`. A plugin says so
/// by a view that is called after it, with the columns `stop, subject, reason, since`: `handoff_stops`.
struct StopView {
    private let views: [String]

    init(types: [any Plugin.Type], config: Config) {
        views = types.filter { config.isOn($0.name) }.compactMap { type in
            let name = "\(type.name)_stops"
            return type.views.contains { $0.views.contains(name) } ? name : nil
        }
    }

    func install(_ db: Database) throws {
        let none = "SELECT NULL AS stop, NULL AS subject, NULL AS reason, NULL AS since WHERE false"
        let parts = [none] + views.map { "SELECT stop, subject, reason, since FROM \($0)" }
        try db.putView("plugin_stops", as: parts.joined(separator: "\nUNION ALL\n"))
    }
}
