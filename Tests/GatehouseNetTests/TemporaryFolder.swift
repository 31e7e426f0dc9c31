import Glibc

/// A folder of one test, removed with the files that are straight in it.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/gatehouse-test.XXXXXX".utf8CString)
        // Sound: mkdtemp writes into the array that it is given.
        let made = unsafe mkdtemp(&template) != nil
        precondition(made, "no folder for temporary files")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // Sound: the kernel reads the paths as C strings.
        for name in names { unsafe unlink(path + "/" + name) }
        unsafe rmdir(path)
    }

    /// What is in it.
    var names: [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            // Sound: d_name is a C string within the entry.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
