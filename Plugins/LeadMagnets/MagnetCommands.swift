import TrellisKernel

/// What `trellis magnets …` does.
struct MagnetCommands: Sendable {
    let offers: Offers

    var all: [Command] {
        let overview = Command("magnets", "The magnets, their views and who asked for them.") { call in
            .table(try call.kernel.read { try LeadMagnets.overview(offers.settings.magnets.map(\.name), $0) })
        }
        return [overview] + ofHeldForms + ofPages
    }

    /// What is done with forms that were held.
    private var ofHeldForms: [Command] {
        [
            Command(
                "magnets quarantine", "Forms that look like no person's, and why; of one, what was typed.",
                arguments: ["id?"]
            ) { call in
                if !call.arguments.isEmpty {
                    let (typed, note) = try Quarantine.typed(try id(call), call.kernel)
                    return .tableWithNote(typed, note)
                }
                let held = try call.kernel.read { try Quarantine.held($0) }
                guard !held.rows.isEmpty else { return .text("No form is held.") }
                return .tableWithNote(
                    held,
                    "'trellis magnets release ID' takes one in, 'trellis magnets discard ID' lets go of one; forms go after \(Quarantine.daysKept) days, ad leads stay."
                )
            },
            Command(
                "magnets release", "Take in a form that was held, with other values for what is wrong.",
                arguments: ["id", "field=value…"]
            ) { call in
                let id = try id(call)
                let released = try Quarantine.release(
                    id, right: try MagnetCommands.values(call.arguments.dropFirst()), magnets: offers.settings.magnets,
                    call.kernel)
                return .text(MagnetCommands.receipt(released, of: id))
            },
            Command("magnets discard", "Let go of a form that was held.", arguments: ["id"]) { call in
                let id = try id(call)
                try Quarantine.discard(id, call.kernel)
                return .text("The form \(id) is gone.")
            },
        ]
    }

    /// HTML for other pages, and the end of a webinar.
    private var ofPages: [Command] {
        [
            Command("magnets embed", "HTML of a form, for a page of another site.", arguments: ["magnet"]) { call in
                let (offer, signer) = (try offer(call), try call.kernel.signer)
                let form = OfferForm(offer: offer, token: FormToken(magnet: offer.name))
                var values = form.values(signer, isEmbedded: true)
                values["language"] = .text(offer.language)
                return .page("embed", values)
            },
            Command(
                "magnets upgrade", "HTML that offers a magnet within an article: at its top, or inline.",
                arguments: ["magnet", "place?"]
            ) { call in
                let offer = try offer(call)
                let place = call.arguments.count > 1 ? call.arguments[1] : "inline"
                guard ["top", "inline"].contains(place) else {
                    throw KernelError.usage("The place is 'top' or 'inline'.")
                }
                var values: PageValues = [
                    "url": .text(offer.url + "?utm_source=article&utm_medium=referral&utm_content=\(place)"),
                    "headline": .text(offer.magnet.value.headline ?? offer.title), "button": .text(offer.button),
                    "is_top": .flag(place == "top"), "language": .text(offer.language),
                ]
                values["summary"] = .optional(offer.magnet.value.summary)
                return .page("upgrade", values)
            },
            Command(
                "magnets close-webinar", "Log webinar.missed for who registered and has not attended.",
                arguments: ["magnet"]
            ) { call in
                let offer = try offer(call)
                guard offer.magnet.value.kind == .webinar else {
                    throw KernelError.usage("The magnet '\(offer.name)' is no webinar.")
                }
                if let start = offer.magnet.value.webinar.startsAt, call.kernel.clock.now() < start {
                    throw KernelError.usage(
                        "The webinar '\(offer.name)' begins on \(offer.time ?? Timestamp.text(start)). Close it when it is over: nobody can have missed it yet."
                    )
                }
                let missed = try close(offer, call.kernel)
                return .text(missed == 1 ? "1 lead missed it." : "\(missed) leads missed it.")
            },
        ]
    }

    private func id(_ call: CommandCall) throws -> Int64 {
        guard let id = Int64(call.arguments[0]) else { throw KernelError.usage("the id is a whole number.") }
        return id
    }

    /// `country=DE`, each a column and its value.
    private static func values(_ words: ArraySlice<String>) throws -> [(name: String, text: String)] {
        try words.map { word in
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
                throw KernelError.usage("Expected field=value, got '\(word)'.")
            }
            return (String(word[..<equals]), String(word[word.index(after: equals)...]))
        }
    }

    private static func receipt(_ released: Quarantine.Released, of id: Int64) -> String {
        var sentences = ["Lead \(released.lead) is taken in."]
        if released.isTicked { sentences.append("What they ticked counts once they confirm it by mail.") }
        if !released.leftOut.isEmpty {
            let problems = released.leftOut.map(\.description).joined(separator: "; ")
            sentences.append("Left out: \(problems). 'trellis magnets quarantine \(id)' shows what was typed.")
        }
        return sentences.joined(separator: " ")
    }

    private func offer(_ call: CommandCall) throws -> Offer {
        let (name, names) = (call.arguments[0], offers.settings.magnets.map(\.name))
        guard let magnet = offers.settings.magnets.first(where: { $0.name == name }) else {
            throw KernelError.usage(
                "There is no magnet '\(name)'.\(NearMiss.hint(name, among: names)) There are: \(names.joined(separator: ", "))."
            )
        }
        return Offer(magnet: magnet, config: call.kernel.config)
    }

    /// Returns how many. Once more, it logs nobody twice.
    private func close(_ offer: Offer, _ kernel: Kernel) throws -> Int {
        try kernel.write(origin: "cli") { tx in
            let before = tx.db.totalChangesCount
            try NoShow.note(
                offer.name, end: offer.magnet.value.webinar.end.map(Timestamp.text), registeredBefore: nil, tx)
            return tx.db.totalChangesCount - before
        }
    }
}
