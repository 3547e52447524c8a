import Foundation
import TrellisKernel

/// A magnet as its visitors see it: the words of its page, and its form.
struct Offer: Sendable {
    let magnet: Named<MagnetSettings.Magnet>
    let config: Config
    /// The words this visitor sees in place of the plain ones.
    var variant: Named<MagnetSettings.Variant>?

    var name: String { magnet.name }
    var path: String { "/offers/\(magnet.name)" }
    var url: String { config.site.site.baseURL + path }
    var title: String { magnet.value.title }
    /// What its pages, its form and its built-in mails are written in.
    var language: String { magnet.value.language?.value ?? config.site.site.language }
    var words: Words { MagnetWords.of(config, language) }

    /// What kind of thing it is now, for people: a webinar is a recording once it is over.
    func kindLabel(at now: Date) -> String {
        switch magnet.value.kind {
        case .asset: words("kind_asset")
        case .webinar: words(place(at: now).isRecording ? "kind_recording" : "kind_webinar")
        case .trial: words("kind_trial")
        case .link: words("kind_link")
        }
    }

    /// Where it is to be had: of a webinar the place to join until it is over, and then its recording.
    func place(at now: Date) -> (url: String?, isRecording: Bool) {
        let webinar = magnet.value.webinar
        guard magnet.value.kind == .webinar, let recording = webinar.recording else { return (magnet.value.url, false) }
        let isAhead = webinar.startsAt != nil && !isOver(at: now) && magnet.value.url != nil
        return isAhead ? (magnet.value.url, false) : (recording, true)
    }

    /// Whether a webinar has taken place.
    private func isOver(at now: Date) -> Bool {
        magnet.value.webinar.end.map { $0 <= now } ?? false
    }

    /// Nobody takes a seat in a webinar that is over and has no recording.
    func refuseLate(at now: Date) throws {
        guard magnet.value.kind == .webinar, magnet.value.webinar.recording == nil, isOver(at: now) else { return }
        throw WebProblem(410, words("over_text", ["title": title]), heading: words("over_heading"))
            .speaking(language)
    }

    var button: String {
        if let own = variant?.value.button ?? magnet.value.button { return own }
        return switch magnet.value.kind {
        case .asset: words(magnet.value.deliver == .page ? "button_download" : "button_asset")
        case .webinar: words("button_webinar")
        case .trial: words("button_trial")
        case .link: words("button_link")
        }
    }

    /// The name under which the file is saved.
    var fileName: String { magnet.value.asset.map { ($0.value as NSString).lastPathComponent } ?? name }

    /// The variant a visitor asks for by name, or one by its weight.
    func variant(named name: String?) -> Named<MagnetSettings.Variant>? {
        if let named = magnet.value.variants.first(where: { $0.name == name }) { return named }
        var rest = Int.random(in: 0...magnet.value.variants.reduce(0) { $0 + $1.value.weight })
        for variant in magnet.value.variants {
            rest -= variant.value.weight
            if rest < 0 { return variant }
        }
        return nil
    }

    /// The values of its landing page.
    func page(form: PageValues, at now: Date) -> PageValues {
        var values: PageValues = [
            "title": .text(title), "headline": .text(variant?.value.headline ?? magnet.value.headline ?? title),
            "kind_label": .text(kindLabel(at: now)), "form": .record(form), "language": .text(language),
        ]
        values["page_url"] = .text(url)
        values["description"] = .optional(magnet.value.summary)
        if let picture = variant?.value.picture?.value ?? magnet.value.picture?.value {
            values["picture"] = .text(picture)
            values["picture_url"] = .text(picture.hasPrefix("/") ? config.site.site.baseURL + picture : picture)
        }
        values["text_html"] = .optional(text)
        values["meta"] = .optional(meta)
        return values
    }

    /// Its text as HTML; a file that cannot be read is left out here, and told by `trellis check`.
    private var text: String? {
        guard let file = variant?.value.page ?? magnet.value.page,
            let data = FileManager.default.contents(atPath: config.path(file.value))
        else { return nil }
        return try? WebText.html(String(decoding: data, as: UTF8.self), name: file.value)
    }

    /// `PDF, 1.2 MB` or `Mon 4 May 2026, 16:00 (Europe/Berlin)`.
    private var meta: String? {
        switch magnet.value.kind {
        case .asset:
            guard let file = magnet.value.asset,
                let data = try? URL(filePath: config.path(file.value)).resolvingSymlinksInPath()
                    .resourceValues(forKeys: [.fileSizeKey]), let size = data.fileSize
            else { return nil }
            let ending = (file.value as NSString).pathExtension.uppercased()
            return [ending.isEmpty ? nil : ending, self.size(size)].compactMap { $0 }.joined(separator: ", ")
        case .webinar: return time
        case .trial:
            let days = magnet.value.trial.days
            return days == 1 ? words("offer_trial_of_a_day") : words("offer_trial", ["days": String(days)])
        case .link: return nil
        }
    }

    /// When the webinar begins, in the zone of the site: `Monday 4 May 2026, 16:00 (Europe/Berlin)` in English, and in
    /// other languages as they write it.
    var time: String? {
        magnet.value.webinar.startsAt.map {
            worded($0, in: TimeZone(identifier: config.site.site.timezone), called: config.site.site.timezone)
        }
    }

    /// The same by the clock of a lead, for its mails: as `mail.dates` has it, and in words where it says nothing.
    func time(in place: LocalTime) -> String? {
        magnet.value.webinar.startsAt.map { start in
            config.site.mail.dates?.text(of: Timestamp.text(start), in: place)
                ?? worded(start, in: place.zone, called: place.name)
        }
    }

    private func worded(_ start: Date, in zone: TimeZone?, called name: String) -> String {
        let format = DateFormatter()
        format.timeZone = zone
        if language.split(separator: "-").first == "en" {
            format.locale = Locale(identifier: "en_GB")
            format.dateFormat = "EEEE d MMMM yyyy, HH:mm"
        } else {
            format.locale = Locale(identifier: language)
            (format.dateStyle, format.timeStyle) = (.full, .short)
        }
        return "\(format.string(from: start)) (\(name))"
    }

    private func size(_ bytes: Int) -> String {
        if bytes < 1000 { return words("size_bytes", ["count": String(bytes)]) }
        if bytes < 1_000_000 { return words("size_kilobytes", ["count": String(bytes / 1000)]) }
        return words("size_megabytes", ["count": words.numbers.text(Double(bytes / 100_000) / 10)])
    }
}

extension Named where Value == MagnetSettings.Magnet {
    /// What somebody of the house is told who puts a lead into a webinar that is over; nil where it is not.
    func lateNote(at now: Date) -> String? {
        guard value.kind == .webinar, let end = value.webinar.end, end <= now else { return nil }
        let over = "The webinar '\(name)' was over on \(Timestamp.text(end).prefix(16)) UTC"
        let mail = "the mail '\(value.mail?.value ?? Mails.name(for: value))'"
        if let recording = value.webinar.recording { return "\(over): \(mail) leads to its recording, \(recording)." }
        return
            "\(over), and has no recording: \(mail) still goes out, as if they had a seat. Write webinar: {recording: https://…} before it does, or move starts_at on."
    }
}
