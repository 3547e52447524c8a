extension EmailAddress {
    /// Whether a domain belongs to a provider where anybody may open a mailbox, so that it says nothing about
    /// the employer of its owner. Case is ignored; subdomains are not looked at.
    ///
    ///     EmailAddress.isFreeMail(domain: "gmail.com")   // true
    public static func isFreeMail(domain: String) -> Bool {
        let wanted = domain.lowercased()
        var range = freeMailDomains[...]
        while !range.isEmpty {
            let middle = range.startIndex + range.count / 2
            if range[middle] == wanted { return true }
            range = range[middle] < wanted ? range[(middle + 1)...] : range[..<middle]
        }
        return false
    }

    /// Sorted, because it is searched by halves. Chosen by number of users; not meant to be complete.
    static let freeMailDomains: [String] = [
        "126.com", "163.com", "aol.com", "bk.ru", "bluewin.ch", "fastmail.com", "free.fr", "freenet.de",
        "gmail.com",
        "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.co.uk", "hotmail.com",
        "hotmail.de", "hotmail.fr", "icloud.com", "laposte.net", "libero.it", "live.com", "mac.com",
        "mail.com",
        "mail.ru", "me.com", "msn.com", "naver.com", "orange.fr", "outlook.com", "outlook.de", "proton.me",
        "protonmail.com", "qq.com", "rediffmail.com", "rocketmail.com", "seznam.cz", "t-online.de",
        "tuta.com",
        "uol.com.br", "virgilio.it", "wanadoo.fr", "web.de", "wp.pl", "yahoo.co.jp", "yahoo.co.uk",
        "yahoo.com",
        "yahoo.de", "yahoo.fr", "yandex.ru", "ymail.com", "zoho.com",
    ]
}
