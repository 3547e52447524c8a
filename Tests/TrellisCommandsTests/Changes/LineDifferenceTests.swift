import Testing

@testable import TrellisCommands

@Suite struct LineDifferenceTests {
    @Test func `what is the same shows nothing`() {
        let same = LineDifference("a\nb\n", "a\nb")
        #expect(same.added == 0 && same.removed == 0 && same.unified() == [])
        #expect(LineDifference("", "").unified() == [])
    }

    @Test func `a changed line stands between three lines of its neighbourhood`() {
        let old = (1...20).map(String.init).joined(separator: "\n")
        let new = old.replacing("\n10\n", with: "\nten\n")
        let difference = LineDifference(old, new)
        #expect(difference.added == 1 && difference.removed == 1)
        #expect(
            difference.unified() == ["@@ -7,7 +7,7 @@", " 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13"])
    }

    @Test func `changes far apart stand apart, near ones together`() {
        let old = (1...30).map(String.init).joined(separator: "\n")
        let new = old.replacing("\n2\n", with: "\ntwo\n").replacing("\n5\n", with: "\nfive\n")
            .replacing("\n25\n", with: "\n")
        let lines = LineDifference(old, new).unified()
        #expect(lines.filter { $0.hasPrefix("@@") } == ["@@ -1,8 +1,8 @@", "@@ -22,7 +22,6 @@"])
    }

    @Test func `a text out of nothing is all new`() {
        #expect(LineDifference("", "a\nb\n").unified() == ["@@ -0,0 +1,2 @@", "+a", "+b"])
    }
}
