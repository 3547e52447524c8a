extension Platform {
    /// Every platform there is a profile of.
    static let all = [google, meta, linkedin, linkedinCompanies, tiktok, microsoft, x]

    /// Customer Match: header, columns and consent from https://support.google.com/google-ads/answer/7659867, the
    /// spelling of values from https://developers.google.com/data-manager/api/devguides/concepts/formatting, 540 days
    /// from https://ads-developers.googleblog.com (February 2025), 10,000 rows advised and 100,000 allowed per
    /// request. The sample `upload_enhanced_conversions_for_leads.py` of google-ads-python folds the local part of
    /// every host; the guide does not, and the guide is followed.
    static let google = Platform(
        name: "google",
        sources: [
            "https://support.google.com/google-ads/answer/7659867",
            "https://developers.google.com/data-manager/api/devguides/concepts/formatting",
        ],
        columns: [
            Column(header: "Email", content: .email, match: .email),
            Column(header: "First Name", content: .text(.firstName, .untitledName), match: .name),
            Column(header: "Last Name", content: .text(.lastName, .untitledName), match: .name),
            Column(
                header: "Country", content: .text(.country, .country(isUpper: true)), isHashed: false, match: .name),
            Column(header: "Zip", content: .text(.postalCode, .postalCode), isHashed: false, match: .name),
            Column(header: "Phone", content: .phone, match: .phone),
        ],
        email: EmailRule(foldsGmail: true), phonesMax: 3, membersMin: 100, batchRows: 10_000, lifetimeDays: 540,
        consentSignals: ["ad_user_data", "ad_personalization"])

    /// Custom Audiences: https://www.facebook.com/business/help/2082575038703844 for the columns and their spelling,
    /// https://developers.facebook.com/docs/marketing-api/audiences for 10,000 rows per request. An address keeps its
    /// dots and its plus, a number loses its plus.
    static let meta = Platform(
        name: "meta",
        sources: [
            "https://www.facebook.com/business/help/2082575038703844",
            "https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences",
        ],
        columns: [
            Column(header: "email", content: .email, match: .email),
            Column(header: "phone", content: .phone, match: .phone),
            Column(header: "fn", content: .text(.firstName, .accentedName), match: .name),
            Column(header: "ln", content: .text(.lastName, .accentedName), match: .name),
            Column(header: "ct", content: .text(.city, .plainLetters), match: .name),
            Column(header: "st", content: .text(.region, .state), match: .name),
            Column(header: "zip", content: .text(.postalCode, .shortPostalCode), match: .name),
            Column(header: "country", content: .text(.country, .country(isUpper: false)), match: .name),
        ],
        email: EmailRule(), phone: .digits, phonesMax: 3, membersMin: 100, batchRows: 10_000, valueHeader: "value")

    /// Matched Audiences of contacts: https://www.linkedin.com/help/lms/answer/a1489764 (header, 300 rows at least,
    /// 300,000 rows or 20 MB at most, lengths; headers may not be changed or removed).
    static let linkedin = Platform(
        name: "linkedin", sources: ["https://www.linkedin.com/help/lms/answer/a1489764"],
        columns: [
            Column(header: "email", content: .email, match: .email),
            Column(
                header: "firstname", content: .text(.firstName, .plain(lengthMax: 35)), isHashed: false, match: .name),
            Column(
                header: "lastname", content: .text(.lastName, .plain(lengthMax: 35)), isHashed: false, match: .name),
            Column(
                header: "jobtitle", content: .text(.title, .plain(lengthMax: 50)), isHashed: false, match: .company),
            Column(
                header: "employeecompany", content: .text(.company, .plain(lengthMax: 50)), isHashed: false,
                match: .company),
            Column(
                header: "country", content: .text(.country, .country(isUpper: true)), isHashed: false, match: .company),
            Column(header: "googleaid", content: .nothing, match: .company),
        ],
        keepsAllColumns: true, email: EmailRule(), membersMin: 300, membersMax: 300_000, bytesMax: 20_000_000,
        batchRows: 5000)

    /// Matched Audiences of companies: the same page as ``linkedin``.
    static let linkedinCompanies = Platform(
        name: "linkedin_companies", sources: ["https://www.linkedin.com/help/lms/answer/a1489764"],
        columns: [
            company("companyname", .text(.company, .plain(lengthMax: 50))),
            company("companywebsite", .text(.website, .plain(lengthMax: nil))),
            company("companyemaildomain", .text(.domain, .plain(lengthMax: nil))),
            company("linkedincompanypageurl", .nothing), company("stocksymbol", .nothing),
            company("industry", .text(.industry, .plain(lengthMax: nil))),
            company("city", .text(.city, .plain(lengthMax: nil))), company("state", .nothing),
            company("companycountry", .text(.country, .country(isUpper: true))), company("zipcode", .nothing),
        ],
        keepsAllColumns: true, email: EmailRule(), membersMin: 300, membersMax: 300_000, bytesMax: 20_000_000,
        batchRows: 5000, isOfCompanies: true)

    private static func company(_ header: String, _ content: Content) -> Column {
        Column(header: header, content: content, isHashed: false, match: .company)
    }

    /// Customer File: https://ads.tiktok.com/help/article/customer-file-audiences (headers, a plus sign and what
    /// follows it removed). Its pages disagree about the plus of a number: the hash they print is that of the digits
    /// alone, which is what stands here; `tiktok_phone: plus` says otherwise.
    static let tiktok = Platform(
        name: "tiktok", sources: ["https://ads.tiktok.com/help/article/customer-file-audiences"],
        columns: [
            Column(header: "Email_SHA256", content: .email, match: .email),
            Column(header: "Phone_SHA256", content: .phone, match: .phone),
        ],
        email: EmailRule(cutsPlus: true, beginsWithLetterOrDigit: true), phone: .digits, phonesMax: 3,
        batchRows: 10_000)

    /// Customer Match by a file of the bulk service:
    /// https://learn.microsoft.com/advertising/bulk-service/customer-list-item. `lists: {microsoft: ID}` names the
    /// list; without it a new one is made.
    static let microsoft = Platform(
        name: "microsoft",
        sources: [
            "https://learn.microsoft.com/advertising/bulk-service/customer-list",
            "https://learn.microsoft.com/advertising/bulk-service/customer-list-item",
        ],
        preamble: [
            "Type,Status,Id,Parent Id,Client Id,Modified Time,Name,Description,Scope,Audience,Action Type,Sub Type,Text",
            "Format Version,,,,,,6.0,,,,,,",
            "Customer List,Active,{list},,,,,,Customer,{name},{action},,",
        ],
        rowPrefix: "Customer List Item,,,{list},,,,,,,,Email,",
        columns: [Column(header: "Text", content: .email, match: .email)], email: EmailRule(), membersMin: 300,
        batchRows: 10_000)

    /// Custom audiences: https://business.x.com/en/help/campaign-setup/campaign-targeting/custom-audiences: one
    /// identifier a line, in lower case, hashed without salt, as lower-case digits.
    static let x = Platform(
        name: "x",
        sources: ["https://business.x.com/en/help/campaign-setup/campaign-targeting/custom-audiences"],
        columns: [Column(header: "", content: .email, match: .email)], email: EmailRule(), membersMin: 100,
        batchRows: 10_000)
}
