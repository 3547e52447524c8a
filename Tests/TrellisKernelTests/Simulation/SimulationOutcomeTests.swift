import Testing
import TrellisKernel

@Suite struct SimulationOutcomeTests {
    private func section(_ rows: [[Cell]]) -> SimulationSection {
        SimulationSection("Leads by stage", Table(columns: ["stage", "at_start", "at_end"], rows: rows))
    }

    @Test func `what is the same stands once, what differs with an arrow`() {
        let beside = section([["lead", 5, 7], ["mql", 1, 3]]).beside(section([["lead", 5, 6], ["mql", 1, 3]]))
        #expect(beside.table.rows == [["lead", 5, "7 → 6"], ["mql", 1, 3]])
        #expect(beside.table.columns == ["stage", "at_start", "at_end"])
    }

    @Test func `a row that only one has counts nothing at the other`() {
        let left = section([["lead", 5, 7]])
        let right = section([["lead", 5, 7], ["sql", 0, 2]])
        #expect(left.beside(right).table.rows == [["lead", 5, 7], ["sql", 0, "0 → 2"]])
        #expect(right.beside(left).table.rows == [["lead", 5, 7], ["sql", 0, "2 → 0"]])
        #expect(left.beside(nil).table.rows == [["lead", "5 → 0", "7 → 0"]])
        #expect(left.differs(from: right) && !left.differs(from: left))
    }

    @Test func `programs get a column for each`() {
        let joined = section([["lead", 5, 7]]).joined(with: section([["lead", 5, 6]]))
        #expect(joined.table.columns == ["stage", "at_start", "at_start_other", "at_end", "at_end_other"])
        #expect(joined.table.rows == [["lead", 5, 5, 7, 6]])
    }
}
