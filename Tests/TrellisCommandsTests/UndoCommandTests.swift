import ArgumentParser
import Testing

@testable import TrellisCommands

@Suite struct UndoCommandTests {
    @Test func `the list is reached however it is asked for, and what is no number is named`() throws {
        for words in [["--list"], ["--json", "list"]] {
            let command = try UndoCommand.parseAsRoot(words)
            let apply = try #require(command as? UndoCommand.Apply, "\(words)")
            #expect(apply.lists == (words == ["--list"]) && apply.id == (words.count == 2 ? "list" : nil))
        }
        #expect(try UndoCommand.number("7") == 7)
        #expect {
            try UndoCommand.number("seven")
        } throws: { "\($0)" == "'seven' is no number of a statement. See: trellis undo list" }
    }

    @Test func `what was passed over is named, of many the first ten`() {
        #expect(UndoCommand.sentence(passing: []) == nil)
        #expect(
            UndoCommand.sentence(passing: ["statement 4 (it changed the schema)", "statement 3 (the table x is gone)"])
                == "Passed over, for it cannot be undone: statement 4 (it changed the schema), statement 3 (the table x is gone)."
        )
        #expect(UndoCommand.sentence(passing: (1...12).map(String.init))?.hasSuffix("9, 10 and 2 more.") == true)
    }
}
