import Testing
import TrellisKernel
import TrellisTesting

/// Every mail of every example, as it would reach somebody.
struct ExampleMailsTests {
    @Test(arguments: ExamplesTests.folders) func `no mail has a problem`(_ folder: String) throws {
        let crm = try ExampleFolder(folder, at: "2026-11-23 09:00:00")
        let preview = MailPreview(crm.kernel)
        // Those of the plugin handoff are about a handoff, which a preview has none of.
        for entry in try preview.list() where !entry.uses.isEmpty && !entry.name.hasPrefix("handoff-") {
            let page = try preview.render(entry.name)
            #expect(page.problems == [], "\(folder): \(entry.name)")
            #expect(!page.subject.isEmpty && !(page.text + page.html).contains("{{"))
        }
    }

    @Test(arguments: ExamplesTests.folders) func `every mail of the folder is used by the config`(_ folder: String)
        throws
    {
        let crm = try ExampleFolder(folder, at: "2026-11-23 09:00:00")
        let unused = try MailPreview(crm.kernel).list().filter {
            $0.uses.isEmpty && !$0.name.hasPrefix("magnet-") && !$0.name.hasPrefix("handoff-")
        }
        #expect(unused.map(\.name) == [])
    }
}
