import ArgumentParser
import Foundation
import TrellisKernel

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check every promise as SQL. Exit 65 when one is broken.")

    @OptionGroup var global: GlobalOptions
    @Flag(help: "Also every page of the file and every foreign key.")
    var strict = false
    @Flag(help: "Put back triggers that were dropped or changed.")
    var fix = false

    func run() throws {
        let kernel = try global.open(checks: false)
        let doctor = Doctor(kernel)
        if fix {
            let names = try doctor.fix()
            print(names.isEmpty ? "Nothing to mend." : "Put back: \(names.joined(separator: ", ")).")
        }
        let findings = try doctor.examine(isStrict: strict)
        let style = TextStyle(isColoured: Terminal.attached(to: STDOUT_FILENO).allowsColour)
        if global.json {
            Table(
                columns: ["promise", "kept", "detail"],
                rows: findings.map { [.text($0.promise), .integer($0.isKept ? 1 : 0), .text($0.detail)] }
            ).show(.json)
        } else {
            for finding in findings {
                print(
                    "\(finding.isKept ? style.green("ok    ") : style.red("BROKEN")) \(finding.promise)\(finding.detail.isEmpty ? "" : "  (\(finding.detail))")"
                )
            }
        }
        if findings.contains(where: { !$0.isKept }) { throw QuietExit(code: 65) }
    }
}
