import Foundation
import TrellisKernel

/// Who asks the API, by the token that is said: the house, which may do everything, or a reader of
/// `server.admin.readers`, which may ask in SQL and for named queries, and does not see all of it.
public enum Caller: Sendable {
    case house
    case reader(ServerSettings.Reader)

    /// What whoever says no known token is told.
    static let unknown =
        "The token is missing or unknown. Say it as 'Authorization: Bearer …': that of server.admin.token opens everything, "
        + "that of a reader questions in SQL and queries."

    /// Nil where no token is said, or none that is known.
    ///
    /// - Parameters:
    ///   - authorization: the header of that name.
    ///   - takesPasswords: whether the token may be the password of `Basic` (RFC 7617), whatever the name.
    init?(_ authorization: String?, _ admin: ServerSettings.Admin, takesPasswords: Bool) {
        // The name of the scheme has no case (RFC 9110, 11.1).
        let said = (authorization ?? "").split(separator: " ", maxSplits: 1).map(String.init)
        guard said.count == 2, let word = Caller.token(said[0].lowercased(), said[1], takesPasswords) else {
            return nil
        }
        if let token = admin.token, Signature.isSame(word, token) {
            self = .house
        } else if let reader = admin.readers.first(where: { Signature.isSame(word, $0.value.token) }) {
            self = .reader(reader.value)
        } else {
            return nil
        }
    }

    /// The token as it was said.
    private static func token(_ scheme: String, _ said: String, _ takesPasswords: Bool) -> String? {
        if scheme == "bearer" { return said }
        guard scheme == "basic", takesPasswords, let data = Data(base64Encoded: said),
            let pair = String(validating: data, as: UTF8.self), let colon = pair.firstIndex(of: ":")
        else { return nil }
        return String(pair[pair.index(after: colon)...])
    }
}
