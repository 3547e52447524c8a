import TrellisKernel

/// What `trellis status` says, for programs: numbers, ids, and UTC times. What is not there is null.
struct StatusFigures {
    private let kernel: Kernel

    init(_ kernel: Kernel) {
        self.kernel = kernel
    }

    var json: JSONValue {
        get throws {
            let worker = try Worker.current(kernel)
            return try kernel.read { db in
                func value(_ sql: String) throws -> JSONValue {
                    guard let value = try DatabaseValue.fetchOne(db, sql: sql) else { return .null }
                    return switch Cell(value) {
                    case .integer(let number): .integer(number)
                    case .real(let number): .number(number)
                    case .null: .null
                    case .text(let text): .string(text)
                    case .blob: .null
                    }
                }
                func counts(_ sql: String) throws -> JSONValue {
                    .object(try Row.fetchAll(db, sql: sql).map { (key: $0[0], value: .integer($0[1])) })
                }
                let config = try ConfigHistory(db).current
                let now = Timestamp.text(kernel.clock.now()).sqlLiteral
                let waiting = "FROM outbox_messages WHERE state = 'waiting' AND ready_at > \(now)"
                return .object([
                    ("database", .string(kernel.config.databasePath)),
                    ("leads", try value("SELECT count(*) FROM leads")),
                    ("events", try value("SELECT count(*) FROM events")),
                    ("worker_pid", worker.map { .integer(Int64($0)) } ?? .null),
                    ("config_id", config.map { .integer($0.id) } ?? .null),
                    ("config_since", config.map { .string($0.at) } ?? .null),
                    ("is_config_in_force", .bool(config?.text == kernel.config.text)),
                    (
                        "backlog_events",
                        try value(
                            """
                            SELECT coalesce(max(0, max((SELECT max(id) FROM events) - last_event_id)), 0) FROM subscribers
                            WHERE substr(id, 1, instr(id, '/') - 1) IN (SELECT name FROM plugins WHERE is_on UNION ALL SELECT 'kernel')
                            """)
                    ),
                    ("next_appointment_at", try value("SELECT min(due_at) FROM scheduled_events")),
                    ("outbox", try counts("SELECT state, count(*) FROM outbox_messages GROUP BY state")),
                    (
                        "counts",
                        .object(try kernel.counts.map { (key: $0.name, value: .integer(try $0.value(db))) })
                    ),
                    ("returned_mail", try counts("SELECT kind, count(*) FROM mail_returns GROUP BY kind")),
                    ("waits_its_time", try value("SELECT count(*) \(waiting)")),
                    ("next_mail_at", try value("SELECT min(ready_at) \(waiting)")),
                    ("last_mail_at", try value("SELECT max(ready_at) \(waiting)")),
                    ("unclean_stops", try value("SELECT count(*) FROM worker_runs WHERE ended_at = 'crashed'")),
                ])
            }
        }
    }
}
