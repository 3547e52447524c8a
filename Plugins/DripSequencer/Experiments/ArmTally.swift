/// What became of the leads of one arm.
///
/// A lead counts when its outcome window is over, whether it converted or not. To count those that converted at once
/// and the others later would begin every test at rates of 100 %, end it as one of arms that are alike, and show the
/// arm that was mailed last as the better one.
struct ArmTally: Sendable, Equatable {
    /// Leads that were put into the arm.
    let sent: Int
    /// Of those whose window is over, how many reached the goal within it.
    let converted: Int
    /// Leads whose window still runs, converted or not.
    let open: Int

    /// More than any CRM holds, and few enough that sums and products of tallies stay exact.
    static let most = 1_000_000_000_000

    /// What cannot be is cut to what can: nothing is below zero, open ≤ sent, converted ≤ sent − open.
    init(sent: Int = 0, converted: Int = 0, open: Int = 0) {
        self.sent = min(max(sent, 0), ArmTally.most)
        self.open = min(max(open, 0), self.sent)
        self.converted = min(max(converted, 0), self.sent - self.open)
    }

    /// Leads whose outcome is known.
    var counted: Int { sent - open }
    /// Converted of the counted; 0 where none is counted.
    var rate: Double { counted > 0 ? Double(converted) / Double(counted) : 0 }

    static func + (left: ArmTally, right: ArmTally) -> ArmTally {
        ArmTally(
            sent: left.sent + right.sent, converted: left.converted + right.converted, open: left.open + right.open)
    }
}
