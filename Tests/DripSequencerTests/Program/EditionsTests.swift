import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// What happens to leads under way when the steps of their sequence are edited.
@Suite struct EditionsTests {
    private static let old = "steps: [{mail: one}, {wait: 2 days}, {mail: two}]"

    private func begun(_ extra: String = "") throws -> TestKernel {
        let crm = try DripSite.crm("enter: {on: lead.created}, \(extra)\(Self.old)")
        try crm.lead("ann@a.example")
        try crm.pump()
        crm.clock.advance(by: "1 day")
        return crm
    }

    private func edited(_ crm: TestKernel, _ steps: String, _ extra: String = "", newcomer: String = "bob") throws
        -> TestKernel
    {
        let next = try crm.reopened(DripSite.yaml("enter: {on: lead.created}, \(extra)\(steps)"))
        try next.lead("\(newcomer)@a.example")
        try next.pump()
        next.clock.advance(by: "1 day")
        try next.pump()
        return next
    }

    @Test func `who is under way finishes the old steps, who comes now takes the new ones`() throws {
        let crm = try begun()
        let next = try edited(crm, "steps: [{mail: three}, {wait: 5 days}, {mail: two}]")
        #expect(
            try next.rows("SELECT lead_id, version, first_version, state FROM drip_enrolments ORDER BY id") == [
                "1|1|1|completed", "2|2|2|active",
            ])
        #expect(
            try next.keys == [
                "drip:course:1:lead 1:cycle 1", "drip:course:1@2:lead 2:cycle 1", "drip:course:3:lead 1:cycle 1",
            ])
        #expect(try next.rows("SELECT version FROM drip_versions") == ["1", "2"])
        #expect(try next.troubles() == [])
    }

    @Test func `who is to move goes on with the new steps, and gets nothing twice`() throws {
        let crm = try begun("on_edit: migrate, ")
        let next = try edited(
            crm, "steps: [{mail: three}, {mail: one}, {wait: 2 days}, {mail: one}, {mail: two}]", "on_edit: migrate, ")
        #expect(
            try next.rows("SELECT lead_id, version, first_version, state FROM drip_enrolments ORDER BY id") == [
                "1|2|1|completed", "2|2|2|active",
            ])
        #expect(
            try next.rows("SELECT template FROM outbox_messages WHERE lead_id = 1 ORDER BY id") == ["one", "two"])
        #expect(try next.troubles() == [])
    }

    @Test func `a wait that was changed is reckoned from when the lead came to it`() throws {
        let crm = try begun("on_edit: migrate, ")
        let next = try crm.reopened(
            DripSite.yaml(
                "enter: {on: lead.created}, on_edit: migrate, steps: [{mail: one}, {wait: 4 days}, {mail: two}]"))
        try next.lead("bob@a.example")
        try next.pump()
        #expect(try next.value("SELECT due_at FROM drip_enrolments WHERE lead_id = 1") == "2026-03-06 09:00:00.000")
        next.clock.set("2026-03-06 08:59:59")
        try next.pump()
        #expect(try next.rows("SELECT count(*) FROM outbox_messages WHERE lead_id = 1") == ["1"])
        next.clock.set("2026-03-06 09:00:01")
        try next.pump()
        #expect(try next.rows("SELECT count(*) FROM outbox_messages WHERE lead_id = 1") == ["2"])
    }

    @Test func `the plan says who would move where, and changes nothing`() throws {
        let crm = try begun("on_edit: migrate, ")
        let next = try crm.reopened(
            DripSite.yaml("enter: {on: lead.created}, on_edit: migrate, steps: [{mail: one}, {mail: three}]"))
        #expect(
            try next.run("sequences plan") == [
                "course|version 2||0|keep their steps", "course|move|2: mail two|1|1: mail three",
                "Nothing was changed. It will be when 'trellis work' or 'trellis serve' starts with this config.",
            ])
        #expect(try next.rows("SELECT version FROM drip_versions") == ["1"])
        #expect(try next.rows("SELECT version, step FROM drip_enrolments") == ["1|2"])
        let same = try next.reopened(DripSite.yaml("enter: {on: lead.created}, \(Self.old)"))
        #expect(try same.run("sequences plan") == ["The steps are those the database knows. Nothing would change."])
    }

    @Test func `on_edit alone moves who kept the steps of before`() throws {
        let steps = "steps: [{mail: one}, {mail: three}]"
        let crm = try begun()
        let kept = try crm.reopened(DripSite.yaml("enter: {on: lead.created}, \(steps)"))
        try kept.lead("bob@a.example")
        try kept.pump()
        #expect(try kept.rows("SELECT version, state FROM drip_enrolments WHERE lead_id = 1") == ["1|active"])
        let moved = try kept.reopened(DripSite.yaml("enter: {on: lead.created}, on_edit: migrate, \(steps)"))
        #expect(
            try moved.run("sequences plan") == [
                "course|move|2: mail two|1|1: mail three",
                "Nothing was changed. It will be when 'trellis work' or 'trellis serve' starts with this config.",
            ])
        try moved.lead("cleo@a.example")
        try moved.pump()
        #expect(try moved.rows("SELECT version, step, state FROM drip_enrolments WHERE lead_id = 1") == ["2|1|active"])
        #expect(try moved.rows("SELECT version FROM drip_versions") == ["1", "2"])
        #expect(try moved.run("sequences plan") == ["The steps are those the database knows. Nothing would change."])
        moved.clock.advance(by: "1 day")
        try moved.pump()
        #expect(
            try moved.rows("SELECT template FROM outbox_messages WHERE lead_id = 1 ORDER BY id") == ["one", "three"])
        #expect(try moved.troubles() == [])
    }

    @Test func `steps that were taken back are a further version, and everybody goes on`() throws {
        let crm = try begun()
        let next = try edited(crm, "steps: [{mail: three}]")
        let back = try edited(next, Self.old, newcomer: "cleo")
        #expect(try back.rows("SELECT version FROM drip_versions") == ["1", "2", "3"])
        #expect(try back.run("sequences show", "course", options: ["version": "2"]) == ["0|mail three|0", "1|end|0"])
        #expect(throws: KernelError.usage("course has no version 7. The newest is 3.")) {
            try back.run("sequences show", "course", options: ["version": "7"])
        }
        #expect(try back.troubles() == [])
    }

    @Test func `who waits for what is no longer heard of moves even where all keep their steps`() throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{wait_for: course.started, at_most: 9 days}, {mail: one}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        let next = try crm.reopened(DripSite.yaml("enter: {on: lead.created}, steps: [{wait: 1 day}, {mail: two}]"))
        #expect(try next.run("sequences plan")[1].hasSuffix("(they wait for what is no longer heard of)"))
        try next.lead("bob@a.example")
        try next.pump()
        #expect(try next.rows("SELECT version, state FROM drip_enrolments WHERE lead_id = 1") == ["2|active"])
    }
}
