import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Where a visitor came from, by the address of the page and the page before.
@Suite struct ChannelTests {
    private static let page = "https://acme.example/offer"

    @Test(
        arguments: [
            ("utm_source=google&utm_medium=cpc&utm_campaign=spring", nil, "paid_search"),
            ("utm_source=bing&utm_medium=CPC", nil, "paid_search"),
            ("utm_source=linkedin&utm_medium=paid-social", nil, "paid_social"),
            ("utm_source=facebook&utm_medium=cpm&fbclid=F1", nil, "paid_social"),
            ("utm_source=instagram&utm_medium=social", nil, "organic_social"),
            ("utm_source=fb&utm_medium=paid", nil, "paid_social"),
            ("utm_source=ig&utm_medium=paid_social", nil, "paid_social"),
            ("utm_source=an&utm_medium=cpc", nil, "paid_social"),
            ("utm_source=Facebook_Mobile_Feed&utm_medium=paid-social", nil, "paid_social"),
            ("utm_source=Instagram_Stories&utm_medium=cpc", nil, "paid_social"),
            ("utm_source=autumn-orders&utm_medium=Paid%20Social", nil, "paid_social"),
            ("utm_source=autumn-orders&utm_medium=paid", nil, "paid_search"),
            ("utm_source=an.example&utm_medium=paid", nil, "paid_search"),
            ("utm_source=an_offer&utm_medium=paid", nil, "paid_search"),
            ("utm_source=ig", nil, "organic_social"),
            ("utm_source=msg", nil, "organic_social"),
            ("utm_source=msg.example", nil, "referral"),
            ("", "https://an.example.org/", "referral"),
            ("utm_source=newsletter&utm_medium=email", nil, "email"),
            ("utm_source=newsletter", nil, "email"),
            ("utm_source=google&utm_medium=organic", nil, "organic_search"),
            ("utm_source=acme-partner&utm_medium=partner", nil, "partner"),
            ("utm_source=fair-2026&utm_medium=qr", nil, "offline"),
            ("utm_source=autumn-orders&utm_medium=webinar", nil, "webinar"),
            ("utm_source=somebody", nil, "referral"),
            ("gclid=G1", "https://www.google.com/", "paid_search"),
            ("msclkid=M1", nil, "paid_search"),
            ("li_fat_id=L1", nil, "paid_social"),
            ("ttclid=T1", nil, "paid_social"),
            ("fbclid=F1", "https://l.facebook.com/", "organic_social"),
            ("", "https://www.google.co.uk/search?q=pos", "organic_search"),
            ("", "https://duckduckgo.com/", "organic_search"),
            ("", "https://search.brave.com/search", "organic_search"),
            ("", "https://www.linkedin.com/feed/", "organic_social"),
            ("", "https://t.co/abc", "organic_social"),
            ("", "https://mail.google.com/mail/u/0", "email"),
            ("", "https://blog.example.org/post", "referral"),
            ("", "https://google.impostor.example.org/", "referral"),
            ("", "https://acme.example/home", "direct"),
            ("", "https://www.acme.example/home", "direct"),
            ("", "android-app://com.slack/", "direct"),
            ("", "not an address", "direct"),
            ("", nil, "direct"),
        ] as [(String, String?, String)])
    func `a link and the page before tell the channel`(query: String, referrer: String?, channel: String) {
        let page = query.isEmpty ? Self.page : "\(Self.page)?\(query)"
        #expect(Channel.of(Arrival(landingPage: page, referrer: referrer)) == channel)
    }

    @Test func `addresses are kept without what they carry`() throws {
        let arrival = Arrival(
            landingPage:
                "https://ann:secret@acme.example:8443/offer?email=ann%40acme.example&utm_source=Gr%C3%BCne%20Post&utm_source=second&gclid=G-1#top",
            referrer: "https://www.blog.example.org/post?token=secret")
        #expect(arrival.landingPage == "https://acme.example:8443/offer")
        #expect(arrival.referrer == "https://www.blog.example.org/post")
        #expect(arrival.source == "Grüne Post")
        #expect(arrival.click == Arrival.Click(kind: "gclid", id: "G-1"))
    }

    @Test func `without a source of its own a visit has the host it came from`() {
        #expect(
            Arrival(landingPage: Self.page, referrer: "https://www.blog.example.org/post").source == "blog.example.org")
        #expect(Arrival(landingPage: Self.page, referrer: "https://acme.example/").source == nil)
        #expect(Arrival(landingPage: nil, referrer: nil) == Arrival(landingPage: "javascript:alert(1)", referrer: ""))
    }

    @Test func `what anybody may write into a link is cut`() {
        let long = String(repeating: "x", count: 100_000)
        let arrival = Arrival(landingPage: "\(Self.page)/\(long)?utm_source=\(long)&gclid=\(long)", referrer: nil)
        #expect(arrival.source?.count == Arrival.lengthMax && arrival.click?.id.count == Arrival.lengthMax)
        #expect(arrival.landingPage?.count == Arrival.lengthMax)
        #expect(Arrival(landingPage: "\(Self.page)?utm_source=&utm_medium=%20", referrer: nil).source == nil)
    }

    @Test func `a rule of the site comes first, and may name a channel of its own`() throws {
        let config = try Config.parse(
            """
            leads:
              channels:
                partner: {source: [Garden-Union, union.example]}
                trade-press: {source: [post], medium: [advertorial, cpc]}
                nobody: {}
            """, file: "config.yaml", folder: "/", plugins: [], environment: [:])
        func channel(_ query: String, _ referrer: String? = nil) -> String {
            Channel.of(
                Arrival(landingPage: "\(Self.page)?\(query)", referrer: referrer), rules: config.site.leads.channels)
        }
        #expect(channel("utm_source=garden-union&utm_medium=cpc") == "partner")
        #expect(channel("", "https://www.union.example/members") == "partner")
        #expect(channel("utm_source=post&utm_medium=cpc") == "trade-press")
        #expect(channel("utm_source=other&utm_medium=cpc") == "paid_search")
    }

    @Test(
        arguments: [
            ("google", "cpc", "paid_search"), ("Google", "organic", "organic_search"),
            ("linkedin", nil, "organic_social"),
            ("linkedin", "paid", "paid_social"), ("newsletter", nil, "email"), (nil, "qr", "offline"),
            ("Garden-Union", nil, "partner"), ("trade fair", nil, nil), ("somebody", "word of mouth", nil),
            (nil, nil, nil),
        ] as [(String?, String?, String?)])
    func `the source and the medium of a list tell the channel, and nothing is no direct visit`(
        source: String?, medium: String?, channel: String?
    ) {
        var rule = ChannelRule()
        rule.source = ["garden-union"]
        #expect(Channel.ofListed(source: source, medium: medium, rules: [Named("partner", rule)]) == channel)
    }

    @Test func `a channel that is named is one of Trellis or of the site`() throws {
        let rules = [Named("trade-press", ChannelRule())]
        #expect(try Channel.named("offline", rules: []) == "offline")
        #expect(try Channel.named("trade-press", rules: rules) == "trade-press")
        let problem = #expect(throws: FieldProblem.self) { try Channel.named("paid_serach", rules: rules) }
        #expect(
            problem?.description == """
                channel: expected one of organic_search, paid_search, organic_social, paid_social, email, referral, direct, \
                webinar, outbound, offline, partner, trade-press. Did you mean 'paid_search'? Channels of your own stand \
                under leads.channels.
                """
        )
    }

    @Test func `without a page the source and the medium of the draft tell the channel`() throws {
        let crm = try TestKernel()
        var draft = try crm.kernel.draft([("email", "ann@acme.example"), ("source", "google"), ("medium", "cpc")])
        draft.arrive(nil, kind: "manual")
        #expect(draft.touch?.channel == "paid_search")
        draft.arrive(nil, kind: "manual", channel: "outbound")
        #expect(draft.touch?.channel == "outbound")
    }

    @Test func `a touch is written with all that is known of it`() throws {
        let crm = try TestKernel()
        var draft = try crm.kernel.draft([("email", "ann@acme.example")])
        let arrival = Arrival(
            landingPage: "\(Self.page)?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=G1",
            referrer: "https://www.google.de/")
        draft.arrive(arrival, kind: "form")
        let proposal = draft
        _ = try crm.kernel.write(origin: "form:offer") { try $0.capture(proposal) }
        #expect(
            try crm.rows(
                "SELECT kind, channel, source, medium, campaign, referrer, landing_page, click_id_kind, click_id FROM touches"
            ) == [
                "form|paid_search|google|cpc|spring|https://www.google.de/|https://acme.example/offer|gclid|G1"
            ])
    }
}
