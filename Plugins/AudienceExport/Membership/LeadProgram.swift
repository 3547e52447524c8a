import TrellisKernel

/// What the program that SQLite makes of a SELECT reads (https://www.sqlite.org/opcode.html): whether it looks at rows
/// of one lead alone, so that a lead can be looked at without the others.
///
/// A SELECT is about one lead at a time if every table it opens is only ever entered by the number of that lead: by the
/// row of `leads`, by an index that begins with `lead_id`, or by the account of that lead. The planner decides how a
/// table is entered, and the program says where each number comes from; so both are read rather than guessed. What is
/// not understood counts as a look at everything: a newer SQLite may make an audience slower, but not wrong.
struct LeadProgram {
    /// Tables that are read.
    private(set) var tables: Set<String> = []
    /// Why it is not about one lead at a time; nil where it is.
    private(set) var obstacle: String?
    /// Whether it asks the clock by itself, as a view with 'now' does.
    private(set) var asksClock = false

    private let steps: [Step]
    private var cursors: [Int: Cursor] = [:]

    struct Step {
        let opcode: String
        let p1: Int
        let p2: Int
        let p3: Int
        let p4: String
    }

    /// What is known of a number: that it is the lead's, its account's, or that of a row of some table that is the
    /// lead's.
    private enum Owner: Hashable {
        case lead, account
        case row(of: String)
    }

    private struct Cursor {
        /// Nil for what the program keeps for itself.
        var table: String?
        /// The columns of a row as they are stored; nil stands for one without a name.
        var columns: [String?] = []
        /// What the number of a row is; nil where it is nothing but that.
        var row: Owner?
        var isIndex = false
        /// The list of leads to look at.
        var isSource = false
    }

    /// Reads the program of `sql`.
    ///
    /// - Parameters:
    ///   - parameter: the number of the parameter that stands for the lead; nil where the leads come from
    ///     `temp.audiences_changed`.
    init(_ sql: String, parameter: Int? = nil, _ db: Database) throws {
        let statement = try db.makeStatement(sql: "EXPLAIN \(sql)")
        statement.setUncheckedArguments([])
        steps = try Row.fetchAll(statement).map { row in
            Step(
                opcode: row["opcode"], p1: row["p1"] ?? 0, p2: row["p2"] ?? 0, p3: row["p3"] ?? 0,
                p4: (row["p4"] as String?) ?? "")
        }
        try open(db)
        asksClock = steps.contains(where: LeadProgram.asksClock)
        examine(parameter)
    }

    // MARK: - What is opened

    private mutating func open(_ db: Database) throws {
        let pages = try LeadProgram.pages(Set(steps.filter { LeadProgram.opens.contains($0.opcode) }.map(\.p2)), db)
        for step in steps {
            switch step.opcode {
            case let opcode where LeadProgram.opens.contains(opcode):
                let page = step.p3 == 1 ? Cursor(columns: ["lead_id"], row: .lead, isSource: true) : pages[step.p2]
                guard step.p3 <= 1, let page, cursors[step.p1].map({ $0.table == page.table }) ?? true else {
                    obstacle = obstacle ?? "it reads something that is no table of the file"
                    continue
                }
                cursors[step.p1] = page
                if let table = page.table { tables.insert(table) }
            case "VOpen": obstacle = obstacle ?? "it reads a virtual table"
            default: break
            }
        }
    }

    private static let opens: Set<String> = ["OpenRead", "ReopenIdx"]

    /// The tables and indexes whose trees begin at some pages. A table that is kept by its key has no index for it in
    /// the schema (https://www.sqlite.org/withoutrowid.html).
    private static func pages(_ roots: Set<Int>, _ db: Database) throws -> [Int: Cursor] {
        var pages: [Int: Cursor] = [:]
        let tables = try Row.fetchAll(
            db,
            sql: """
                SELECT s.name, s.tbl_name, s.type, s.rootpage,
                       s.type = 'table' AND EXISTS (
                           SELECT 1 FROM pragma_index_list(s.name, 'main') AS i WHERE i.origin = 'pk'
                             AND i.name NOT IN (SELECT name FROM main.sqlite_schema WHERE type = 'index')) AS is_keyed
                FROM main.sqlite_schema AS s
                WHERE s.rootpage > 0 AND s.rootpage IN (\(roots.map(String.init).joined(separator: ", ")))
                """)
        for row in tables {
            let (name, table): (String, String) = (row["name"], row["tbl_name"])
            var cursor = Cursor(table: table)
            if row["type"] == "index" {
                cursor.columns = try indexColumns(name, of: table, db)
                cursor.isIndex = true
            } else if row["is_keyed"] == true {
                let key = try String.fetchOne(
                    db, sql: "SELECT name FROM pragma_index_list(?, 'main') WHERE origin = 'pk'", arguments: [name])
                cursor.columns = try key.map { try indexColumns($0, of: table, db) } ?? []
                cursor.isIndex = true
            } else {
                // A column that is computed is not stored, and those behind it move up.
                let columns = try Row.fetchAll(
                    db, sql: "SELECT name, pk, type FROM pragma_table_xinfo(?, 'main') WHERE hidden <> 2",
                    arguments: [name])
                cursor.columns = columns.map { $0["name"] }
                let key = columns.filter { $0["pk"] > 0 }
                let isRow = key.count == 1 && (key[0]["type"] as String).uppercased() == "INTEGER"
                cursor.row = isRow ? rowOwner(of: table, key: key[0]["name"]) : nil
            }
            pages[row["rootpage"]] = cursor
        }
        return pages
    }

    private static func rowOwner(of table: String, key: String) -> Owner? {
        switch (table, key) {
        case ("leads", "id"): .lead
        case ("accounts", "id"): .account
        default: key == "lead_id" ? .lead : nil
        }
    }

    private static func indexColumns(_ index: String, of table: String, _ db: Database) throws -> [String?] {
        try Row.fetchAll(
            db, sql: "SELECT cid, name FROM pragma_index_xinfo(?, 'main') ORDER BY seqno", arguments: [index]
        ).map {
            // The last column of an index is the row's number.
            $0["cid"] == -1 ? (table == "leads" ? "id" : nil) : $0["name"]
        }
    }

    // MARK: - Where numbers come from

    private mutating func examine(_ parameter: Int?) {
        guard obstacle == nil else { return }
        var owners: [Int: Owner] = [:]
        // Until nothing new is learnt: the constants of a program stand at its end.
        while true {
            let learnt = learn(owners, parameter)
            if learnt == owners { break }
            owners = learnt
        }
        for (index, step) in steps.enumerated() {
            if let problem = problem(step, index, owners) {
                obstacle = problem
                return
            }
        }
    }

    /// The registers that hold nothing but the lead's or its account's number, given those known so far.
    private func learn(_ known: [Int: Owner], _ parameter: Int?) -> [Int: Owner] {
        var found: [Int: Set<Owner?>] = [:]
        for step in steps {
            guard let writes = Opcode.writes(step) else { continue }
            // A NULL enters no row, and the end of an extreme leaves it as it is.
            if step.opcode == "Null" || (step.opcode == "AggFinal" && LeadProgram.extremes.contains(step.p4)) {
                continue
            }
            let owner: Owner? =
                switch step.opcode {
                case "Variable": step.p1 == parameter ? .lead : nil
                case "Rowid", "IdxRowid": rowOwner(step)
                // The greatest of the lead's rows is one of them.
                case "AggStep": LeadProgram.extremes.contains(step.p4) ? known[step.p2] : nil
                case "Column": columnOwner(step)
                case "SCopy", "IntCopy": known[step.p1]
                case "Copy", "Move": writes.count == 1 ? known[step.p1] : nil
                default: nil
                }
            for register in writes { found[register, default: []].insert(owner) }
        }
        return found.compactMapValues { $0.count == 1 ? $0.first ?? nil : nil }
    }

    private static let extremes: Set<String> = ["max(1)", "min(1)"]

    private func rowOwner(_ step: Step) -> Owner? {
        guard let cursor = cursors[step.p1] else { return nil }
        return cursor.table == "leads" ? .lead : cursor.row ?? cursor.table.map { .row(of: $0) }
    }

    private func columnOwner(_ step: Step) -> Owner? {
        guard let cursor = cursors[step.p1], cursor.columns.indices.contains(step.p2),
            let name = cursor.columns[step.p2]
        else { return nil }
        if cursor.isSource { return .lead }
        if cursor.table == "leads" { return name == "id" ? .lead : name == "account_id" ? .account : nil }
        return name == "lead_id" ? .lead : nil
    }

    // MARK: - How tables are entered

    /// Why a step leaves the lead; nil where it does not.
    private func problem(_ step: Step, _ index: Int, _ owners: [Int: Owner]) -> String? {
        guard Opcode.isKnown(step.opcode) else { return "it runs \(step.opcode), which is not understood here" }
        guard let cursor = cursors[step.p1], !cursor.isSource, let table = cursor.table else { return nil }
        switch step.opcode {
        case "Rewind", "Last", "SeekEnd", "Count", "Sort": return "it reads all of \(table)"
        case "SeekRowid", "NotExists":
            let owner = owners[step.p3]
            let isOwn = !cursor.isIndex && owner != nil && (owner == cursor.row || owner == .row(of: table))
            return isOwn ? nil : "it looks at rows of \(table) that are not the lead's"
        case "SeekGE", "SeekGT", "SeekLE", "SeekLT":
            guard beginsWithLead(cursor), owners[step.p3] == .lead, isBounded(step.p1, owners) else {
                return "it looks at rows of \(table) that are not the lead's"
            }
            return nil
        case "Found", "NotFound", "NoConflict":
            guard beginsWithLead(cursor), step.p4 != "0", owners[step.p3] == .lead else {
                return "it looks at rows of \(table) that are not the lead's"
            }
            return nil
        default: return nil
        }
    }

    private func beginsWithLead(_ cursor: Cursor) -> Bool {
        guard cursor.isIndex, let first = cursor.columns.first else { return false }
        return cursor.table == "leads" ? first == "id" : first == "lead_id"
    }

    /// Whether a walk along an index ends with the lead it began with.
    private func isBounded(_ cursor: Int, _ owners: [Int: Owner]) -> Bool {
        let ends = steps.filter { ["IdxGT", "IdxGE", "IdxLT", "IdxLE"].contains($0.opcode) && $0.p1 == cursor }
        return !ends.isEmpty && ends.allSatisfy { owners[$0.p3] == .lead }
    }

    private static func asksClock(_ step: Step) -> Bool {
        if step.opcode == "String8" { return step.p4.lowercased() == "now" }
        guard step.opcode == "Function" || step.opcode == "PureFunc" else { return false }
        return [
            "current_timestamp(0)", "current_date(0)", "current_time(0)", "date(0)", "datetime(0)", "time(0)",
            "julianday(0)", "unixepoch(0)", "strftime(1)", "random(0)",
        ].contains(step.p4)
    }
}
