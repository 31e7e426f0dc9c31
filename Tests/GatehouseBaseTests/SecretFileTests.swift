import GatehouseBase
import Glibc
import Testing

final class SecretFileTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/gatehouse-test.XXXXXX".utf8CString)
        // Sound: mkdtemp writes into the array that it is given.
        try #require(unsafe mkdtemp(&template) != nil)
        folder = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // Sound: paths are copied by the calls.
        for name in ["secret", "fifo", "link"] { unsafe unlink("\(folder)/\(name)") }
        unsafe rmdir(folder)
    }

    private func reason(_ path: String) -> String? {
        do throws(SecretFile.Failure) {
            _ = try SecretFile.read(path)
            return nil
        } catch { return error.description }
    }

    /// Whoever opens a FIFO waits for a writer, and whoever reads some devices never comes to an end.
    @Test(.timeLimit(.minutes(1)))
    func `what is no regular file is not waited for`() throws {
        let fifo = folder + "/fifo"
        try #require(unsafe mkfifo(fifo, 0o600) == 0)
        for path in [fifo, "/dev/null", "/dev/zero", folder] {
            #expect(reason(path) == "it is no regular file")
            #expect(SecretFile.refusal(path) == "it is no regular file")
        }
        #expect(PlainFile.write("1", to: fifo) != nil)
        #expect(!PlainFile.holds("1", fifo))
        #expect(reason(folder + "/none") == "No such file or directory")
        #expect(SecretFile.refusal(folder + "/none") == nil)
    }

    private func names() -> [String] {
        guard let list = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(list) }
        var names: [String] = []
        // Sound: the entry is copied before the next one is read.
        while let entry = unsafe readdir(list) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    @Test func `a file that is there stays, and is the only one`() throws {
        let file = folder + "/secret"
        try SecretFile.create(file, Secret("hunter2"))
        #expect(throws: SecretFile.Failure.self) {
            try SecretFile.create(file, Secret("another"))
        }
        #expect(try SecretFile.read(file) == Array("hunter2".utf8))
        var status = stat()
        // Sound: the kernel fills the structure.
        #expect(unsafe stat(file, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(names() == ["secret"])
    }

    /// The limit of a process stands for a full disk: the kernel writes a part, and then no more.
    @Test func `of a file that finds no room nothing stays, and the next one is made`() async throws
    {
        await #expect(processExitsWith: .success) { [folder = folder as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            let kind = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            unsafe getrlimit(kind, &limit)
            limit.rlim_cur = 4
            try #require(unsafe setrlimit(kind, &limit) == 0)
            do throws(SecretFile.Failure) {
                try SecretFile.create(folder + "/secret", Secret("hunter2"))
                Issue.record("there was room")
            } catch {
                #expect(error.description == "File too large")
            }
        }
        #expect(names() == [])
        try SecretFile.create(folder + "/secret", Secret("hunter2"))
        #expect(names() == ["secret"])
    }

    @Test func `a link to a file is read as the file, as Kubernetes has secrets`() throws {
        try SecretFile.create(folder + "/secret", Secret("hunter2"))
        try #require(unsafe symlink(folder + "/secret", folder + "/link") == 0)
        #expect(try SecretFile.read(folder + "/link") == Array("hunter2".utf8))
        #expect(SecretFile.refusal(folder + "/link") == nil)
    }

    @Test func `a file is open to all where its mode and the folders above let them`() throws {
        let file = folder + "/secret"
        try SecretFile.create(file, Secret("hunter2"))
        for (mode, read, change) in [
            (0o600, false, false), (0o640, false, false), (0o604, true, false),
            (0o622, false, true), (0o666, true, true),
        ] as [(mode_t, Bool, Bool)] {
            try #require(unsafe chmod(file, mode) == 0 && chmod(folder, 0o711) == 0)
            #expect(SecretFile.isOpenToAll(file) == read)
            #expect(SecretFile.isOpenToAll(file, to: .change) == change)
            try #require(unsafe chmod(folder, 0o700) == 0)
            #expect(!SecretFile.isOpenToAll(file) && !SecretFile.isOpenToAll(file, to: .change))
        }
        try #require(unsafe chmod(folder, 0o777) == 0)
        #expect(SecretFile.isOpenToAll(folder, to: .change))
    }
}
