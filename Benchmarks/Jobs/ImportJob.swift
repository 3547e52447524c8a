import TrellisKernel

/// The file of leads through the importer, and everything the plugins make of it.
enum ImportJob {
    static let ours = Phase("import") { workspace in
        let time = StoppedTime(Workspace.importedAt)
        let kernel = try workspace.kernel(.ours, clock: time.clock)
        var watch = Stopwatch()
        let report = try Importer(kernel, file: workspace.csv, mapping: ImportMapping()).run()
        guard report.created == workspace.leads else {
            throw BenchError("of \(workspace.leads) leads, \(report.created) were made: \(report.examples)")
        }
        watch.note("import")
        try EventPump(kernel).runUntilIdle()
        watch.note("pump")
        time.set(Workspace.refreshedAt)
        try EventPump(kernel).runUntilIdle()
        watch.note("audiences")
        try kernel.close()
        watch.note("close")
        return watch.measurement
    }
}
