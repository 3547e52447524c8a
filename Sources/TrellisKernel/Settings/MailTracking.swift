/// What is learnt about marketing mail after it was sent.
///
/// The default is clicks. A click is something a person does, on a link that says where it leads, and scores and
/// sequences are built on it. An opening is told by a picture that is fetched without anybody being asked, and half of
/// the mail programs fetch it for everybody: it tells little and takes much, so that a site has to ask for it.
public enum MailTracking: String, Sendable, CaseIterable {
    case clicks
    case clicksAndOpens = "clicks and opens"
    case none
}
