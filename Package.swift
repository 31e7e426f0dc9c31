// swift-tools-version: 6.3
import PackageDescription

/// Swift 6 mode everywhere, every warning an error, and unsafe constructs only where they say so.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

func module(_ name: String, imports: [String] = []) -> Target {
    .target(
        name: name, dependencies: imports.map { .init(stringLiteral: $0) }, swiftSettings: settings)
}

func command(_ name: String, imports: [String]) -> Target {
    .executableTarget(
        name: name, dependencies: imports.map { .init(stringLiteral: $0) }, swiftSettings: settings)
}

func tests(_ name: String, imports: [String]) -> Target {
    .testTarget(
        name: name, dependencies: imports.map { .init(stringLiteral: $0) }, swiftSettings: settings)
}

// The edges are the architecture: lower never imports upper, siblings never import each other.
// `make lint` compares every import with this table (docs/ARCHITECTURE.md).
let package = Package(
    name: "gatehouse",
    products: [
        .library(name: "GatehouseKit", targets: ["GatehouseKit"]),
        .executable(name: "gatehouse", targets: ["gatehouse"]),
        .executable(name: "gatehouse-demo", targets: ["gatehouse-demo"]),
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

        module("GatehouseBase"),
        module("GatehouseHTTP", imports: ["GatehouseBase"]),
        module("GatehouseOIDC", imports: ["GatehouseBase", "COpenSSL"]),
        module("GatehouseConfiguration", imports: ["GatehouseBase", "CYAML"]),
        module("GatehouseNet", imports: ["GatehouseBase", "COpenSSL", "CLinux"]),
        module("GatehouseStore", imports: ["GatehouseBase", "CSQLite"]),
        module("GatehouseGate", imports: ["GatehouseBase", "GatehouseHTTP", "GatehouseOIDC"]),
        module("GatehouseProxy", imports: ["GatehouseBase", "GatehouseHTTP", "GatehouseNet"]),
        module(
            "GatehouseKit",
            imports: [
                "GatehouseBase", "GatehouseHTTP", "GatehouseOIDC", "GatehouseConfiguration",
                "GatehouseNet", "GatehouseGate", "GatehouseProxy", "GatehouseStore",
            ]),
        module(
            "GatehouseTesting",
            imports: [
                "GatehouseBase", "GatehouseHTTP", "GatehouseOIDC", "GatehouseConfiguration",
                "GatehouseNet", "GatehouseGate", "GatehouseProxy", "GatehouseKit", "COpenSSL",
            ]),
        command("gatehouse", imports: ["GatehouseBase", "GatehouseConfiguration", "GatehouseKit"]),
        command(
            "gatehouse-demo",
            imports: [
                "GatehouseBase", "GatehouseConfiguration", "GatehouseNet", "GatehouseKit",
                "GatehouseTesting",
            ]),

        tests("GatehouseBaseTests", imports: ["GatehouseBase"]),
        tests("GatehouseHTTPTests", imports: ["GatehouseBase", "GatehouseHTTP"]),
        tests(
            "GatehouseOIDCTests", imports: ["GatehouseBase", "GatehouseOIDC", "GatehouseTesting"]),
        tests("GatehouseConfigurationTests", imports: ["GatehouseBase", "GatehouseConfiguration"]),
        tests("GatehouseNetTests", imports: ["GatehouseBase", "GatehouseNet", "CLinux"]),
        tests("GatehouseStoreTests", imports: ["GatehouseBase", "GatehouseStore"]),
        tests(
            "GatehouseGateTests",
            imports: [
                "GatehouseBase", "GatehouseHTTP", "GatehouseOIDC", "GatehouseGate",
                "GatehouseTesting",
            ]),
        tests(
            "GatehouseProxyTests",
            imports: ["GatehouseBase", "GatehouseHTTP", "GatehouseNet", "GatehouseProxy", "CLinux"]),
        tests(
            "GatehouseKitTests",
            imports: [
                "GatehouseBase", "GatehouseHTTP", "GatehouseConfiguration", "GatehouseGate",
                "GatehouseNet", "GatehouseProxy", "GatehouseStore", "GatehouseKit",
            ]),
        tests(
            "IntegrationTests",
            imports: [
                "GatehouseBase", "GatehouseHTTP", "GatehouseOIDC", "GatehouseConfiguration",
                "GatehouseNet", "GatehouseGate", "GatehouseProxy", "GatehouseKit",
                "GatehouseTesting", "COpenSSL",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

// What only developers of Gatehouse build. scripts/fuzz adds the compiler flags of libFuzzer.
if Context.environment["GATEHOUSE_DEV"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "gatehouse-benchmarks",
            dependencies: ["GatehouseBase", "GatehouseHTTP", "GatehouseProxy"],
            path: "Tests/Benchmarks", swiftSettings: settings))
    package.targets.append(
        .target(name: "Fuzzing", path: "Tests/Fuzz/Fuzzing", swiftSettings: settings))
    let fuzzers: KeyValuePairs = [
        "FuzzRequestHead": "GatehouseHTTP", "FuzzResponseHead": "GatehouseHTTP",
        "FuzzChunkedCoding": "GatehouseHTTP", "FuzzPath": "GatehouseHTTP",
        "FuzzWebSocketFrames": "GatehouseHTTP", "FuzzCookies": "GatehouseHTTP",
        "FuzzJWS": "GatehouseOIDC",
    ]
    for (name, module) in fuzzers {
        package.targets.append(
            .executableTarget(
                name: name,
                dependencies: ["Fuzzing", "GatehouseBase", .init(stringLiteral: module)],
                path: "Tests/Fuzz/" + name, swiftSettings: settings))
    }
}
