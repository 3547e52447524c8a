import TrellisKernel

extension LeadMagnets {
    public static var pastViews: [PastView] {
        [
            PastView("magnets_submissions", from: "main.magnets_submissions AS t WHERE t.at <= :at", asNow: ["state"]),
            PastView("magnets_referrals", from: "main.magnets_referrals AS t WHERE t.at <= :at"),
            PastView("magnets_visits", from: "main.magnets_visits AS t WHERE t.at <= :at"),
        ]
    }
}
