import TrellisKernel

extension Figures {
    /// What is kept of each deal, lead and handoff, and the money added up. By which road a lead came, and how many
    /// came by it, is what the figures are for: it stays where `touches` is hidden.
    public static let copies: [String: [String]] = [
        "opportunities.lead_id": ["figures_closed_deals.lead"],
        "opportunities.owner": ["figures_closed_deals.owner"],
        "opportunities.currency": ["figures_closed_deals.currency", "figures_earnings.currency"],
        "opportunities.stage": ["figures_closed_deals.is_won"],
        "opportunities.amount": [
            "figures_closed_deals.amount", "figures_earnings.first_touch", "figures_earnings.last_touch",
            "figures_earnings.linear", "figures_earnings.position",
        ],
        "opportunities.opened_at": ["figures_closed_deals.days", "figures_cycles.days"],
        "opportunities.closed_at": [
            "figures_closed_deals.month", "figures_closed_deals.days", "figures_closed_deals.days_from_arrival",
            "figures_earnings.month", "figures_cycles.month", "figures_cycles.days",
        ],
        "leads.stage": ["figures_leads.stage", "figures_stages.stage"],
        "handoff_handoffs.rep": [
            "figures_handoffs.rep", "figures_offers.rep", "figures_answers.rep", "figures_answer_bands.rep",
        ],
        "handoff_handoffs.reason": ["figures_handoffs.reason"],
        "handoff_transitions.reason": ["figures_handoffs.reason"],
    ]
}
