import Testing
import TrellisKernel

/// Every key of the JSON Schema, misspelt by one letter where it stands.
struct MisspeltKeysTests {
    /// A mapping of the config: what is written before its first key, and what closes it, on one line.
    private struct Record {
        var before: String
        var after: String
        var keys: [String]
    }

    private struct Misspelling {
        let key: String
        let wrong: String
        let column: Int
    }

    private static let schema = Config.schema(plugins: shippedPlugins)

    private static func value(_ key: String, of schema: JSONValue) -> JSONValue? {
        guard case .object(let entries) = schema else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// The mappings of the schema. A name that the configurer chooses is `name`; a record within itself is read once.
    private static func records(
        _ schema: JSONValue, before: String = "", after: String = "", seen: Set<String> = []
    ) -> [Record] {
        if case .string(let reference)? = value("$ref", of: schema) {
            let name = String(reference.dropFirst("#/$defs/".count))
            guard !seen.contains(name),
                let definition = value("$defs", of: self.schema).flatMap({ value(name, of: $0) })
            else { return [] }
            return records(definition, before: before, after: after, seen: seen.union([name]))
        }
        var found: [Record] = []
        for union in ["anyOf", "oneOf"] {
            guard case .array(let alternatives)? = value(union, of: schema) else { continue }
            found += alternatives.flatMap { records($0, before: before, after: after, seen: seen) }
        }
        if case .object(let properties)? = value("properties", of: schema), !properties.isEmpty {
            found.append(Record(before: before + "{", after: "}" + after, keys: properties.map(\.key)))
            for (key, inner) in properties {
                found += records(inner, before: before + "{\(key): ", after: "}" + after, seen: seen)
            }
        }
        if let inner = value("additionalProperties", of: schema) {
            found += records(inner, before: before + "{name: ", after: "}" + after, seen: seen)
        }
        if let inner = value("items", of: schema) {
            found += records(inner, before: before + "[", after: "]" + after, seen: seen)
        }
        return found
    }

    /// A letter in the middle dropped, doubled, and swapped with the next one that differs.
    private static func misspellings(of key: String) -> [String] {
        let letters = Array(key)
        let middle = letters.count / 2
        var (dropped, doubled) = (letters, letters)
        dropped.remove(at: middle)
        doubled.insert(letters[middle], at: middle)
        var all = [dropped, doubled]
        let places = Array(letters.indices.dropLast())
        if let place = (places.drop { $0 < middle - 1 } + places).first(where: { letters[$0] != letters[$0 + 1] }) {
            var swapped = letters
            swapped.swapAt(place, place + 1)
            all.append(swapped)
        }
        return all.map { String($0) }.filter { !$0.isEmpty }
    }

    @Test func `each key misspelt by a letter is refused where it stands, with the one that was meant`() throws {
        let records = Self.records(Self.schema)
        var (tried, meantAnother, faults) = (0, 0, [String]())
        for record in records {
            var (line, misspelt, used) = (record.before, [Misspelling](), Set(record.keys))
            for key in record.keys {
                for wrong in Self.misspellings(of: key) where used.insert(wrong).inserted {
                    misspelt.append(Misspelling(key: key, wrong: wrong, column: line.count + 1))
                    line += wrong + ": 1, "
                }
            }
            line += record.after
            let error = try #require(throws: ConfigProblems.self, "\(record.before)") {
                _ = try Config.parse(line, plugins: shippedPlugins)
            }
            for one in misspelt {
                tried += 1
                // Another key may be as near: `tset` is `set` and `test`.
                let meant = NearMiss.of(one.wrong, among: record.keys) ?? ""
                if meant != one.key { meantAnother += 1 }
                let isTold = error.problems.contains {
                    $0.place.line == 1 && $0.place.column == one.column && $0.message.contains("'\(one.wrong)'")
                        && $0.message.contains("Did you mean '\(meant)'?")
                }
                if !isTold { faults.append("\(record.before)\(one.wrong)") }
            }
        }
        #expect(faults.isEmpty, "\(faults.count) of \(tried), such as \(faults.prefix(5))")
        #expect(records.count > 50 && tried > 900, "\(records.count) mappings, \(tried) misspellings")
        #expect(meantAnother * 50 < tried, "\(meantAnother) of \(tried)")
    }

    @Test func `the same key rightly written is not refused for its name`() throws {
        for record in Self.records(Self.schema) {
            let line = record.before + record.keys.map { $0 + ": 1" }.joined(separator: ", ") + record.after
            do {
                _ = try Config.parse(line, plugins: shippedPlugins)
            } catch let error as ConfigProblems {
                #expect(!error.problems.contains { $0.message.contains("unknown key") }, "\(line): \(error)")
            }
        }
    }
}
