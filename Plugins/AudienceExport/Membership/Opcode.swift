/// Which registers the instructions of SQLite's virtual machine write (https://www.sqlite.org/opcode.html), as far as a
/// SELECT is made of them.
enum Opcode {
    private enum Output {
        case nothing, p1, p2, p3
    }

    /// Whether it stands in the list below.
    static func isKnown(_ opcode: String) -> Bool { outputs[opcode] != nil || ranges.contains(opcode) }

    /// The registers it may write; nil where it is not known.
    static func writes(_ step: LeadProgram.Step) -> [Int]? {
        switch step.opcode {
        case "Null": return Array(step.p2...max(step.p2, step.p3))
        case "Copy": return Array(step.p2...(step.p2 + max(step.p3, 0)))
        case "Move":
            let count = max(step.p3, 1)
            return Array(step.p1..<(step.p1 + count)) + Array(step.p2..<(step.p2 + count))
        default: break
        }
        switch outputs[step.opcode] {
        case .nothing: return []
        case .p1: return [step.p1]
        case .p2: return [step.p2]
        case .p3: return [step.p3]
        case nil: return nil
        }
    }

    private static let ranges: Set<String> = ["Null", "Copy", "Move"]

    private static let outputs: [String: Output] = {
        let lists: [(Output, String)] = [
            (
                .nothing,
                """
                Init Goto Halt HaltIfNull Transaction TableLock Once If IfNot IsNull NotNull IsType IfNotOpen IfEmpty
                IfSizeBetween IfSmaller ResultRow OpenRead ReopenIdx OpenDup OpenEphemeral OpenAutoindex SorterOpen
                OpenPseudo Close ColumnsUsed SeekGE SeekGT SeekLE SeekLT SeekScan SeekHit IfNoHope NotFound Found NoConflict
                SeekRowid NotExists NullRow SeekEnd Last Rewind Next Prev SorterNext SorterSort Sort SorterInsert
                SorterCompare SequenceTest IdxInsert Insert IdxGT IdxGE IdxLT IdxLE DeferredSeek FinishSeek Delete
                IdxDelete ResetSorter CollSeq Permutation CursorHint Filter FilterAdd Abortable ReleaseReg Explain Noop
                Eq Ne Lt Le Gt Ge ElseEq Compare Jump MustBeInt RealAffinity Affinity Return VOpen VFilter VNext
                """
            ),
            (
                .p1,
                """
                Gosub Yield InitCoroutine EndCoroutine AggFinal Cast AddImm SoftNull DecrJumpZero IfPos IfNotZero MemMax
                RowSetAdd RowSetTest
                """
            ),
            (
                .p2,
                """
                Integer Int64 Real String8 String Blob Variable Rowid RowData SorterData Sequence NewRowid IdxRowid Count
                BeginSubrtn Not BitNot IsTrue ZeroOrNull SCopy IntCopy OffsetLimit
                """
            ),
            (
                .p3,
                """
                Column VColumn AggStep AggInverse AggValue MakeRecord Function PureFunc Add Subtract Multiply Divide
                Remainder Concat BitAnd BitOr ShiftLeft ShiftRight And Or RowSetRead Offset IfNullRow
                """
            ),
        ]
        var outputs: [String: Output] = [:]
        for (output, names) in lists {
            for name in names.split(whereSeparator: \.isWhitespace) { outputs[String(name)] = output }
        }
        return outputs
    }()
}
