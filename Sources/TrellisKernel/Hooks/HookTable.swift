/// All hooks of all plugins that are on. It is filled once at boot and never changes: no lock, no registration at run
/// time.
public struct HookTable: Sendable {
    struct Subscription: Sendable {
        let id: HookID
        let subscribe: Subscribe
    }

    private struct Installed<H: Hook>: Sendable {
        let id: HookID
        let hook: H
    }

    var subscriptions: [Subscription] = []
    private var filters: [ObjectIdentifier: any Sendable] = [:]
    private var answers: [ObjectIdentifier: any Sendable] = [:]
    private(set) var ids: [HookID] = []
    let trace: HookTrace?

    init(trace: HookTrace? = nil) {
        self.trace = trace
    }

    mutating func install(_ hooks: [any Hook], of plugin: String) throws {
        for hook in hooks {
            let id = HookID(plugin: plugin, hook: hook.name)
            guard !ids.contains(id) else { throw KernelError.duplicateHook(id) }
            ids.append(id)
            hook.install(in: &self, as: id)
        }
    }

    mutating func insert<D>(_ filter: Filter<D>, _ id: HookID) {
        let list = self[filters: D.self] + [Installed(id: id, hook: filter)]
        // A stable sort: filters of one order keep the order of the plugins.
        filters[ObjectIdentifier(D.self)] = Filter<D>.Order.allInOrder.flatMap { order in
            list.filter { $0.hook.order == order }
        }
    }

    mutating func insert<Q>(_ answer: Answer<Q>, _ id: HookID) {
        answers[ObjectIdentifier(Q.self)] = self[answers: Q.self] + [Installed(id: id, hook: answer)]
    }

    private subscript<D>(filters _: D.Type) -> [Installed<Filter<D>>] {
        filters[ObjectIdentifier(D.self)] as? [Installed<Filter<D>>] ?? []
    }

    private subscript<Q>(answers _: Q.Type) -> [Installed<Answer<Q>>] {
        answers[ObjectIdentifier(Q.self)] as? [Installed<Answer<Q>>] ?? []
    }

    /// Whether anybody filters this kind of draft: where nobody does, a set-based road need not make drafts at all.
    func hasFilters<D: Draft>(_: D.Type) -> Bool {
        filters[ObjectIdentifier(D.self)] != nil
    }

    /// Whether a filter may find another answer once drafts before this one are written.
    func hasFilterThatReads<D: Draft>(_: D.Type) -> Bool {
        self[filters: D.self].contains { $0.hook.readsFile }
    }

    /// Leads the draft past every filter. A veto, a postponement and a hold pass through; any other error is named
    /// after the filter that threw it.
    func filter<D: Draft>(_ draft: inout D, _ tx: Transaction) throws {
        for installed in self[filters: D.self] {
            do {
                try installed.hook.edit(&draft, tx)
                trace?.note(installed.id, "passed a \(D.self)")
            } catch let veto as Veto {
                trace?.note(installed.id, "vetoed a \(D.self): \(veto.reason)")
                throw veto
            } catch let postpone as Postpone {
                trace?.note(installed.id, "put off a \(D.self): \(postpone.reason)")
                throw postpone
            } catch var hold as Hold {
                trace?.note(installed.id, "held a \(D.self): \(hold.reason)")
                hold.plugin = installed.id.plugin
                throw hold
            } catch {
                trace?.note(installed.id, "failed on a \(D.self): \(error)")
                throw HookFailure(hook: installed.id, reason: "\(error)")
            }
        }
    }

    func ask<Q: Question>(_ question: Q, _ db: Database) throws -> [Q.Reply] {
        try self[answers: Q.self].map { installed in
            do {
                let reply = try installed.hook.reply(question, db)
                trace?.note(installed.id, "answered \(Q.self)")
                return reply
            } catch {
                throw HookFailure(hook: installed.id, reason: "\(error)")
            }
        }
    }
}

extension Filter.Order {
    static var allInOrder: [Self] { [.early, .usual, .late] }
}

/// A hook that failed, with its name, so that the log names the guilty: `scoring/add-points failed: …`.
public struct HookFailure: Error, Sendable, CustomStringConvertible {
    public let hook: HookID
    public let reason: String

    public var description: String { "\(hook) failed: \(reason)" }
}
