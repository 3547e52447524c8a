import Foundation
import Testing

/// A command that holds another config against the one in force, and how that one may be named.
@Suite struct OtherConfigTests {
    @Test func `the other config is named by itself, with --with or with --config`() throws {
        let trellis = try TrellisProcess()
        _ = try trellis.run("init")
        _ = try trellis.run("import", "leads.csv")
        _ = try trellis.run("work", "--until-idle")
        let old = try String(contentsOfFile: trellis.folder + "/config.yaml", encoding: .utf8)
        try trellis.write(old.replacing("points: 20}", with: "points: 60}"), to: "new.yaml")
        try trellis.write(old, to: "same.yaml")
        let with = try trellis.run("scoring", "diff", "--with", "new.yaml")
        #expect(with.code == 0 && with.output.contains("leads get another score"), "\(with)")
        #expect(try trellis.run("scoring", "diff", "new.yaml").output == with.output)
        let config = try trellis.run("scoring", "diff", "--config", "new.yaml")
        #expect(config.output == with.output, "\(config)")
        #expect(config.errors.contains("new.yaml is held against config.yaml.\n"), "\(config)")
        // Elsewhere --config is the config that the file is worked with, and so it is beside another.
        #expect(
            try trellis.run("scoring", "diff", "new.yaml", "--config", "config.yaml").output == with.output)
        for words in [["--config", "config.yaml"], ["--config", "same.yaml"]] {
            let refused = try trellis.run(TrellisProcess.path, ["scoring", "diff"] + words)
            #expect(refused.code == 64 && refused.errors.contains("name the other one"), "\(refused)")
        }
        #expect(
            try trellis.run("scoring", "diff").errors.contains("Name the other config: trellis scoring diff new.yaml"))
        #expect(try trellis.run("plan").output == "This config is in force. Nothing would change.\n")
    }

    @Test func `the other config is held against the one beside it, and else against the present one`() throws {
        let trellis = try TrellisProcess()
        for folder in [".", "b"] { _ = try trellis.run("init", folder) }
        // Only b has leads: the present folder could say nothing of them.
        _ = try trellis.run("import", "b/leads.csv", "--config", "b/config.yaml")
        _ = try trellis.run("work", "--until-idle", "--config", "b/config.yaml")
        let old = try String(contentsOfFile: trellis.folder + "/b/config.yaml", encoding: .utf8)
        for name in ["b/new.yaml", "c/new.yaml"] {
            try trellis.write(old.replacing("points: 20}", with: "points: 60}"), to: name)
        }
        let beside = try trellis.run("scoring", "diff", "--config", "b/new.yaml")
        #expect(beside.code == 0 && beside.output.contains("leads get another score"), "\(beside)")
        #expect(beside.errors.contains("b/new.yaml is held against b/config.yaml.\n"), "\(beside)")
        // Its mails and pages are not beside it, which is said after what it is held against.
        let alone = try trellis.run("scoring", "diff", "--config", "c/new.yaml")
        #expect(alone.errors.contains("c/new.yaml is held against config.yaml.\n"), "\(alone)")
    }
}
