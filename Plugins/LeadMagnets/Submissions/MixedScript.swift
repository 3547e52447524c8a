import Foundation
import TrellisKernel

/// Finds words in the letters of several alphabets, such as `аpple` with a Cyrillic а: how somebody looks like somebody
/// else. It flags; nobody is refused for it unless a magnet says so.
///
/// A word may be written in one script, or as Japanese, Chinese and Korean are, which mix with Latin: the level Highly
/// Restrictive of UTS #39, section 5.2 (https://www.unicode.org/reports/tr39/#Restriction_Level_Detection). A word that
/// is all of one script may still look like another: that is not seen here.
enum MixedScript {
    private static let mixtures: [Set<String>] = [
        ["Latin", "Han", "Hiragana", "Katakana"], ["Latin", "Han", "Bopomofo"], ["Latin", "Han", "Hangul"],
    ]

    /// Whether one word of the text mixes scripts. Letters that only look different, such as full-width ones, count as
    /// those they stand for.
    static func isMixed(_ text: String) -> Bool {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
        return text.precomposedStringWithCompatibilityMapping.split(whereSeparator: \.isWhitespace).contains { word in
            let scripts = Set(word.unicodeScalars.compactMap(Script.of))
            return scripts.count > 1 && !mixtures.contains { scripts.isSubset(of: $0) }
        }
    }

    /// Which parts of an address mix scripts: `local_part`, `domain`. Each label of a domain is a word of its own,
    /// because many a domain has a Latin end.
    static func parts(ofAddress email: String) -> [String] {
        guard let address = try? EmailAddress(email), let at = address.address.lastIndex(of: "@") else { return [] }
        var parts: [String] = []
        if isMixed(String(address.address[..<at])) { parts.append("local_part") }
        if address.unicodeDomain.split(separator: ".").contains(where: { isMixed(String($0)) }) {
            parts.append("domain")
        }
        return parts
    }

    /// Looks at the leads of the forms in the batch: at those that a flag may be for, which are few.
    static func note(_ tx: Transaction) throws {
        let rows = try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT l.id, l.email, l.first_name, l.last_name, l.company
                    FROM (SELECT DISTINCT lead_id FROM batch WHERE kind = 'form.submitted') AS b CROSS JOIN leads AS l
                    WHERE l.id = b.lead_id AND (
                        l.email GLOB '*[^ -~]*' OR l.email GLOB '*xn--*' OR l.first_name GLOB '*[^ -~]*' OR l.last_name GLOB '*[^ -~]*'
                        OR l.company GLOB '*[^ -~]*' OR EXISTS (SELECT 1 FROM magnets_mixed_scripts AS m WHERE m.lead_id = l.id))
                    """))
        guard !rows.isEmpty else { return }
        let found = rows.map { row in
            let (id, email): (Int64, String?) = (row[0], row[1])
            var parts = email.map(parts) ?? []
            if (2...4).contains(where: { (row[$0] as String?).map(isMixed) == true }) { parts.append("name") }
            return JSONValue.array([.integer(id), .array(parts.map(JSONValue.string))])
        }
        let list = JSONValue.array(found).text()
        try tx.db.cachedStatement(
            sql: "DELETE FROM magnets_mixed_scripts WHERE lead_id IN (SELECT value ->> 0 FROM json_each(?))"
        ).execute(arguments: [list])
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_mixed_scripts (lead_id, part)
                SELECT lead.value ->> 0, part.value FROM json_each(?) AS lead, json_each(lead.value -> 1) AS part
                """
        ).execute(arguments: [list])
    }
}
