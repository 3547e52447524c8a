// swift-tools-version: 6.2
import PackageDescription

// The dependency rule as code: kernel <- plugins <- program. A plugin depends on the kernel alone.
let kernel: Target.Dependency = "TrellisKernel"
let embedded: Target.PluginUsage = "EmbedText"

/// A built-in Trellis plugin (not a SwiftPM plugin): its sources under Plugins/NAME, its tables under Migrations/NAME.
@MainActor
func builtIn(_ name: String) -> [Target] {
    [
        .target(name: name, dependencies: [kernel], path: "Plugins/\(name)", plugins: [embedded]),
        .testTarget(name: "\(name)Tests", dependencies: [.target(name: name), "TrellisTesting"]),
    ]
}
let builtIns = ["LeadMagnets", "DripSequencer", "AudienceExport", "Scoring", "Handoff", "Figures"]
let builtInTargets: [Target.Dependency] = builtIns.map { .target(name: $0) }

let package = Package(
    name: "trellis",
    products: [
        .library(name: "TrellisKernel", targets: ["TrellisKernel"]),
        .library(name: "TrellisServer", targets: ["TrellisServer"]),
        .library(name: "TrellisCommands", targets: ["TrellisCommands"]),
        .library(name: "TrellisPlugins", targets: builtIns),
        .library(name: "TrellisTesting", targets: ["TrellisTesting"]),
        .executable(name: "trellis", targets: ["trellis"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    ],
    targets: [
        .target(name: "CTrellisSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CTrellisProcess"),
        .target(name: "CTrellisResolver", linkerSettings: [.linkedLibrary("resolv")]),
        .target(
            name: "TrellisKernel",
            dependencies: [
                "CTrellisSQLite", "CTrellisResolver", "Yams",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            plugins: [embedded]),
        .target(
            name: "TrellisTransports",
            dependencies: [
                kernel,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ]),
        .target(
            name: "TrellisServer",
            dependencies: [
                kernel, "CTrellisProcess",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ],
            plugins: [embedded]),
        .target(name: "TrellisTesting", dependencies: [kernel, .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "TrellisCommands",
            dependencies: [
                kernel, "CTrellisProcess", "TrellisServer", "TrellisTransports",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            plugins: [embedded]),
        .executableTarget(name: "trellis", dependencies: ["TrellisCommands"] + builtInTargets),
        .executableTarget(
            name: "trellis-bench",
            dependencies: [
                "TrellisKernel", "TrellisTransports", "CTrellisSQLite",
                .product(name: "Crypto", package: "swift-crypto"),
            ] + builtInTargets,
            path: "Benchmarks", exclude: ["Forms", "Mail", "Simulate", "Views"]),

        .executableTarget(name: "text-embedder"),
        .plugin(
            name: "EmbedText", capability: .buildTool(), dependencies: ["text-embedder"], path: "Sources/EmbedText"),

        .testTarget(name: "TrellisKernelTests", dependencies: [kernel, "TrellisTesting"]),
        .testTarget(
            name: "TrellisTransportsTests",
            dependencies: [
                "TrellisTransports", "TrellisTesting",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        .testTarget(
            name: "TrellisServerTests",
            dependencies: [
                "TrellisServer", "TrellisTesting",
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ] + builtInTargets),
        .testTarget(
            name: "TrellisCommandsTests", dependencies: ["TrellisCommands", "TrellisTesting"] + builtInTargets),
        .testTarget(name: "JourneyTests", dependencies: ["TrellisTesting", "TrellisTransports"] + builtInTargets),
        .testTarget(name: "TidyTests"),

        // The plugin that README.md shows, and the examples.
        .target(name: "ExamplePlugin", dependencies: [kernel], path: "Examples/Plugin"),
        .testTarget(
            name: "ExamplesTests",
            dependencies: ["ExamplePlugin", "TrellisCommands", "TrellisTesting", "TrellisTransports"] + builtInTargets),
    ] + builtIns.flatMap(builtIn)
)

// One loop of settings for all targets of Swift source.
for target in package.targets where ![.plugin, .system].contains(target.type) && !target.name.hasPrefix("CTrellis") {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
