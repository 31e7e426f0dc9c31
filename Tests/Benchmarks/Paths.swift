import GatehouseBase

/// Reading a path, and what the dearest one costs: nothing but special characters.
enum Paths {
    static func run(_ measure: (String, Int, () throws -> Void) throws -> Void) throws {
        let plain = Array("/user/alice/api/contents/Untitled.ipynb".utf8)
        let special = Array("/user/alice/api/contents/A%20note.ipynb".utf8)
        let worst = Array(("/hub" + String(repeating: "//;", count: 260)).utf8)
        try measure("path, plain", plain.count) { _ = PathReading.check(plain.span) }
        for (name, path) in [("with an escape", special), ("of 784 bytes of //;", worst)] {
            try measure("path, \(name)", path.count) { _ = PathReading.readings(of: path.span) }
        }
    }
}
