extension CSVRecord {
    /// Takes a record apart that some program quoted as a whole: `"7,Ann,""Berlin, Mitte"""` where a row of three
    /// columns was meant. Spreadsheets do that to rows pasted from a CSV file.
    ///
    /// - Returns: false, and nothing is changed, where the one field does not hold exactly `columns` fields.
    mutating func unwrap(delimiter: UInt8, columns: Int) throws(CSVProblem) -> Bool {
        guard count == 1, columns > 1, isValidText else { return false }
        let whole = Array(UnsafeBufferPointer(start: bytes, count: bytesCount))
        guard whole.contains(delimiter), let fields = CSVRecord.fields(of: whole, delimiter: delimiter),
            fields.count == columns
        else { return false }
        begin(line: line)
        for (index, field) in fields.enumerated() {
            if index > 0 { try beginField() }
            for byte in field {
                bytes[bytesCount] = byte
                bytesCount += 1
            }
            try endField()
        }
        return true
    }

    /// The fields of one line (RFC 4180); nil where a quote is left open.
    private static func fields(of line: [UInt8], delimiter: UInt8) -> [[UInt8]]? {
        let quote = UInt8(ascii: "\"")
        var fields: [[UInt8]] = [[]]
        var isQuoted = false
        var index = 0
        while index < line.count {
            let byte = line[index]
            let isDoubled = isQuoted && byte == quote && index + 1 < line.count && line[index + 1] == quote
            if isDoubled {
                fields[fields.count - 1].append(quote)
                index += 1
            } else if byte == quote, isQuoted || fields[fields.count - 1].isEmpty {
                isQuoted.toggle()
            } else if byte == delimiter, !isQuoted {
                fields.append([])
            } else {
                fields[fields.count - 1].append(byte)
            }
            index += 1
        }
        return isQuoted ? nil : fields
    }
}
