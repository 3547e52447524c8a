import Testing

@Suite struct CaptureCommandTests {
    @Test func `a lead for a webinar that is over is taken in, and what follows is said`() throws {
        let trellis = try TrellisProcess()
        try trellis.write(
            """
            site: {base_url: "https://crm.acme.example", secret: "${TRELLIS_SECRET}"}
            mail: {from: "desk@acme.example"}
            plugins:
              lead_magnets:
                magnets:
                  course: {title: The course, kind: webinar, url: "https://meet.acme.example/1", webinar: {starts_at: "2020-05-04 16:00"}}

            """, to: "config.yaml")
        let taken = try trellis.run("capture", "--email", "ann@acme.example", "--magnet", "course")
        #expect(taken.code == 0, "\(taken.errors)")
        #expect(
            taken.output.hasPrefix(
                "Lead 1 is new. What follows from it happens when 'trellis work' runs.\nThe webinar 'course' was over on 2020-05-04 17:00 UTC, and has no recording: "
            ), "\(taken.output)")
        let json = try trellis.run("capture", "--email", "ann@acme.example", "--magnet", "course", "--json").output
        #expect(json.contains(#""notes":["The webinar 'course' was over"#), "\(json)")
        let plain = try trellis.run("capture", "--email", "bob@acme.example", "--json").output
        #expect(plain.hasSuffix(#","outcome":"created","notes":[]}"# + "\n"), "\(plain)")
    }
}
