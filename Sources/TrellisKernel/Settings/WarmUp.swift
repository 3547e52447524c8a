extension SiteSettings {
    /// `mail.warm_up`: how much marketing mail a new sender sends each day.
    public struct WarmUp: SettingsRecord {
        public var first = 50
        public var factor = 2.0
        public var until = 10_000
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("first", \.first, .integer(1...1_000_000), "Marketing mails on the first day.")
            SettingsField("factor", \.factor, .number(1...10), "How many times as many on each day that follows.")
            SettingsField(
                "until", \.until, .integer(1...100_000_000), "Once a day's measure reaches this, there is none.")
        }

        /// The most of a day, counted from 0 over the days on which mail went out; nil once there is no limit.
        func most(onDay day: Int) -> Int? {
            var most = Double(first)
            for _ in 0..<max(0, min(day, 1000)) where most < Double(until) { most *= factor }
            return most < Double(until) ? Int(most) : nil
        }
    }
}
