import Testing

@testable import TrellisServer

@Suite struct FileNameTests {
    @Test(arguments: [
        ("plan.pdf", "plan.pdf"), ("The plan (2026).pdf", "The plan (2026).pdf"), ("assets/2026/plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"), (".htaccess", "htaccess"), (". .plan", "plan"), ("a\"b\\c.pdf", "abc.pdf"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie x"), ("a:b*c?d<e>f|g.pdf", "abcdefg.pdf"), ("", "download"),
        ("..", "download"), ("/", "download"), ("\u{0}\u{7}", "download"),
    ])
    func `a name cannot break out of its header or of its folder`(_ name: String, _ safe: String) {
        #expect(FileName(name).attachment == "attachment; filename=\"\(safe)\"")
    }

    @Test(arguments: [
        ("pläne.pdf", "pl_ne.pdf", "pl%C3%A4ne.pdf"), ("计划.pdf", "__.pdf", "%E8%AE%A1%E5%88%92.pdf"),
        ("naïve plan's.pdf", "na_ve plan's.pdf", "na%C3%AFve%20plan%27s.pdf"),
    ])
    func `a name beyond ASCII is given in both ways`(_ name: String, _ ascii: String, _ encoded: String) {
        #expect(FileName(name).attachment == "attachment; filename=\"\(ascii)\"; filename*=UTF-8''\(encoded)")
    }

    @Test func `a long name is cut`() {
        let name = FileName(String(repeating: "x", count: 1000)).attachment
        #expect(name == "attachment; filename=\"\(String(repeating: "x", count: 150))\"")
    }

    @Test(arguments: [
        ("plan.pdf", "application/pdf"), ("PLAN.PDF", "application/pdf"), ("a.b.csv", "text/csv; charset=utf-8"),
        ("plan.md", "text/markdown; charset=utf-8"), ("plan.html", "application/octet-stream"),
        ("plan", "application/octet-stream"), ("", "application/octet-stream"),
        ("plan.exe", "application/octet-stream"),
    ])
    func `a file has the type of its ending, and none that a browser runs`(_ name: String, _ type: String) {
        #expect(FileType.of(name) == type)
    }
}
