import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct SpendLoaderTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel()
    }

    private var rows: [String] {
        get throws {
            try crm.rows(
                "SELECT day, channel, campaign, half, amount, currency FROM spend ORDER BY day, channel, campaign, half"
            )
        }
    }

    private func load(
        _ text: String, _ encoding: String.Encoding = .utf8, set constants: [String: String] = [:],
        map: [String: String] = [:]
    ) throws -> ImportReport {
        let path = crm.folder + "/spend-\(UUID().uuidString).csv"
        let data = try #require(text.data(using: encoding))
        try data.write(to: URL(filePath: path))
        var mapping = ImportMapping()
        mapping.target = .spend
        mapping.constants = constants.map { Named($0.key, $0.value) }
        mapping.columns = map.map { Named($0.key, $0.value) }
        return try Importer(crm.kernel, file: path, mapping: mapping).run()
    }

    @Test func `a table of one's own needs no mapping`() throws {
        let report = try load(
            """
            day,channel,campaign,half,amount,currency
            2026-03-01,webinar,spring,generation,120.50,EUR
            2026-03-02,email,,nurturing,10,USD
            """)
        #expect(report.created == 2)
        #expect(
            try rows == ["2026-03-01|webinar|spring|generation|120.5|EUR", "2026-03-02|email||nurturing|10.0|USD"])
    }

    @Test func `what Google Ads downloads is taken as it is`() throws {
        let report = try load(
            """
            Campaign report
            "March 1, 2026 - March 2, 2026"
            Day\tCampaign\tCurrency code\tImpressions\tClicks\tCost
            2026-03-01\tBrand\tEUR\t1,204\t33\t1,034.50
            2026-03-01\tBrand\tEUR\t10\t1\t0.50
            2026-03-02\tGeneric\tEUR\t400\t8\t12.00
            Total: Campaigns\t --\tEUR\t1,614\t42\t1,047.00
            Total: Account\t --\tEUR\t1,614\t42\t1,047.00
            """, .utf16)
        #expect((report.created, report.skipped, report.rejected) == (2, 2, 0))
        #expect(report.ignoredColumns == ["Impressions", "Clicks"])
        // Two rows about the same are one sum.
        #expect(
            try rows == [
                "2026-03-01|paid_search|Brand|generation|1035.0|EUR",
                "2026-03-02|paid_search|Generic|generation|12.0|EUR",
            ])
    }

    @Test func `what Meta downloads is taken as it is, its currency from the header`() throws {
        let report = try load(
            """
            Campaign name,Day,Reporting starts,Reporting ends,Amount spent (USD),Results
            ,,2026-03-01,2026-03-02,35.75,
            Spring,2026-03-01,2026-03-01,2026-03-01,20.25,3
            Spring,2026-03-02,2026-03-02,2026-03-02,15.50,1
            """)
        #expect((report.created, report.skipped) == (2, 1))
        #expect(
            try rows == [
                "2026-03-01|paid_social|Spring|generation|20.25|USD",
                "2026-03-02|paid_social|Spring|generation|15.5|USD",
            ])
    }

    @Test func `what LinkedIn downloads is taken as it is`() throws {
        let report = try load(
            """
            Campaign Performance Report (in UTC)\r
            Report Start: March 1, 2026\r
            Date Generated: March 9, 2026\r
            \r
            Start Date (in UTC)\tCampaign Name\tTotal Spent\tCurrency\r
            3/1/2026\tDACH\t44.10\tEUR\r
            3/12/2026\tDACH\t45.90\tEUR\r
            """, .utf16)
        #expect((report.created, report.rejected) == (2, 0))
        #expect(
            try rows == [
                "2026-03-01|paid_social|DACH|generation|44.1|EUR", "2026-03-12|paid_social|DACH|generation|45.9|EUR",
            ])
    }

    @Test func `what Microsoft Advertising downloads is taken as it is`() throws {
        let report = try load(
            """
            "Report Name: Campaigns","",""
            "Report Time: 3/1/2026,3/2/2026","",""
            "Gregorian date","Campaign","Spend","Currency code"
            "2026-03-01","Bing Brand","7.20","GBP"
            "©2026 Microsoft Corporation. All rights reserved. ","","",""
            """)
        #expect((report.created, report.skipped) == (1, 1))
        #expect(try rows == ["2026-03-01|paid_search|Bing Brand|generation|7.2|GBP"])
    }

    @Test func `what TikTok downloads is taken as it is`() throws {
        let report = try load(
            """
            Campaign name,By Day,Cost,Currency,Impressions
            Spring,2026-03-01,12.50,EUR,900
            Spring,2026-03-02,3,EUR,200
            """)
        #expect((report.created, report.rejected) == (2, 0))
        #expect(
            try rows == [
                "2026-03-01|paid_social|Spring|generation|12.5|EUR", "2026-03-02|paid_social|Spring|generation|3.0|EUR",
            ])
    }

    /// Its headers: https://business.x.com/en/help/campaign-measurement-and-analytics/export-csv-definitions
    @Test func `what X downloads is taken as it is`() throws {
        let report = try load(
            """
            ID,Campaign,Campaign URL,Time,Spend,Impressions,Engagements
            8xy,Launch,https://ads.x.example/8xy,2026-03-01,7.25,300,4
            """)
        #expect((report.created, report.rejected) == (1, 0))
        #expect(try rows == ["2026-03-01|paid_social|Launch|generation|7.25|EUR"])
    }

    @Test func `a German report with decimal commas is read as it is meant`() throws {
        let report = try load(
            """
            Tag;Kampagne;Währungscode;Kosten
            01.03.2026;Marke;EUR;1.234,50
            02.03.2026;Marke;EUR;12,5
            Gesamt: Konto; --;EUR;1.247,00
            """, .windowsCP1252)
        #expect((report.created, report.skipped) == (2, 1))
        #expect(
            try rows == [
                "2026-03-01|paid_search|Marke|generation|1234.5|EUR",
                "2026-03-02|paid_search|Marke|generation|12.5|EUR",
            ])
    }

    @Test func `the same file twice is no change, and a corrected one takes its place`() throws {
        let text = "day,channel,amount\n2026-03-01,webinar,100\n2026-03-02,webinar,50\n"
        _ = try load(text)
        let again = try load(text + "\n")
        #expect((again.created, again.changed, again.same) == (0, 0, 2))
        let corrected = try load("day,channel,amount\n2026-03-01,webinar,90\n")
        #expect((corrected.created, corrected.changed, corrected.same) == (0, 1, 0))
        #expect(try rows == ["2026-03-01|webinar||generation|90.0|EUR", "2026-03-02|webinar||generation|50.0|EUR"])
    }

    @Test func `a dry run books nothing`() throws {
        let path = crm.folder + "/dry.csv"
        try Data("day,channel,amount\n2026-03-01,webinar,100\n".utf8).write(to: URL(filePath: path))
        var mapping = ImportMapping()
        mapping.target = .spend
        let report = try Importer(crm.kernel, file: path, mapping: mapping, isDryRun: true).run()
        #expect(report.created == 1)
        #expect(try rows == [])
    }

    @Test func `rows that say nothing certain are refused with their reason`() throws {
        let report = try load(
            """
            day,channel,half,amount,currency
            13/1/2026,webinar,,5,EUR
            2026-02-30,webinar,,5,EUR
            2026-03-01,webinar,,-5,EUR
            2026-03-01,webinar,,a lot,EUR
            2026-03-01,webinar,growth,5,EUR
            2026-03-01,,,5,EUR
            2026-03-01,webinar,,5,Euro
            """)
        #expect(report.created == 0)
        #expect(
            report.examples == [
                "line 2: day: expected a day such as 2026-03-01", "line 3: day: expected a day such as 2026-03-01",
                "line 4: amount: is below zero. Take a credit off the spend of the day it is for.",
                "line 5: amount: expected an amount such as 1234.56",
                "line 6: half: expected generation, nurturing, sales", "line 7: channel: is empty",
                "line 8: currency: expected a code such as EUR",
            ])
        #expect(try rows == [])
    }

    @Test func `a row about a month is no row about a day`() throws {
        let report = try load(
            "Campaign name,Reporting starts,Reporting ends,Amount spent (EUR)\nSpring,2026-03-01,2026-03-31,200\n")
        #expect(report.examples == ["line 2: day: the row is about more than one day. Download the report by day."])
    }

    @Test func `a file that tells no channel asks for one, and takes it for all rows`() throws {
        let text = "day,amount\n2026-03-01,5\n"
        let refusal = try #require(throws: KernelError.self) { try load(text) }
        #expect(
            "\(refusal)"
                == "Nothing tells the channel. Add a column channel, or say it of the whole file with --set channel=paid_search."
        )
        _ = try load(text, set: ["channel": "offline", "half": "sales"])
        #expect(try rows == ["2026-03-01|offline||sales|5.0|EUR"])
    }

    @Test func `columns of other names are mapped, and a wrong mapping is named`() throws {
        _ = try load(
            "when,what,how much\n2026-03-01,fair,900\n", map: ["when": "day", "what": "channel", "how much": "amount"])
        #expect(try rows == ["2026-03-01|fair||generation|900.0|EUR"])
        let refusal = try #require(throws: KernelError.self) { try load("a,b\n1,2\n", map: ["a": "amout"]) }
        #expect(
            "\(refusal)"
                == "'a=amout': spend has no field 'amout'. It has: day, channel, campaign, half, amount, currency.")
    }

    @Test(arguments: [
        ("1234.56", 1234.56), ("1,234.56", 1234.56), ("1.234,56", 1234.56), ("12,5", 12.5), ("1,234", 1234),
        ("1.234", 1.234),
        ("1,234,567", 1_234_567), ("1.234.567", 1_234_567), ("€ 12.50", 12.5), ("12,50 €", 12.5), ("1 234,50", 1234.5),
        ("1'234.50", 1234.5), ("0", 0),
    ])
    func `amounts are read as people write them`(text: String, amount: Double) throws {
        #expect(try SpendLine.amount(text).amount == amount)
    }
}
