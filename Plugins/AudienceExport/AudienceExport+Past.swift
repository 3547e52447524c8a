import TrellisKernel

extension AudienceExport {
    public static var pastViews: [PastView] {
        [
            PastView(
                "audiences_members", from: "main.audiences_members AS t WHERE t.since <= :at",
                ["until": "CASE WHEN t.until <= :at THEN t.until END"]),
            PastView(
                "audiences_exports", from: "main.audiences_exports AS t WHERE t.at <= :at",
                ["accepted_at": "CASE WHEN t.accepted_at <= :at THEN t.accepted_at END"]),
        ]
    }
}
