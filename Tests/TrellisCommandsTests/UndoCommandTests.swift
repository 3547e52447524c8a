import Testing

@testable import TrellisCommands

@Suite struct UndoCommandTests {
    @Test func `what was passed over is named, of many the first ten`() {
        #expect(UndoCommand.sentence(passing: []) == nil)
        #expect(
            UndoCommand.sentence(passing: ["statement 4 (it changed the schema)", "statement 3 (the table x is gone)"])
                == "Passed over, for it cannot be undone: statement 4 (it changed the schema), statement 3 (the table x is gone)."
        )
        #expect(UndoCommand.sentence(passing: (1...12).map(String.init))?.hasSuffix("9, 10 and 2 more.") == true)
    }
}
