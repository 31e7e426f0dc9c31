import CLinux
import Glibc
import Synchronization
import Testing

@testable import GatehouseNet

struct UnixSocketFileTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.path + "/hub.sock" }

    private func close(_ files: [Int32]) {
        for file in files { Glibc.close(file) }
    }

    private func inode(_ path: String) -> UInt? {
        var info = stat()
        // Sound: the kernel reads the path and fills the structure.
        return unsafe lstat(path, &info) == 0 ? UInt(info.st_ino) : nil
    }

    private func mode(_ path: String) -> UInt32? {
        var info = stat()
        // Sound: the kernel reads the path and fills the structure.
        return unsafe lstat(path, &info) == 0 ? info.st_mode & 0o777 : nil
    }

    /// Whether somebody answers there.
    private func answers(_ path: String) throws -> Bool {
        let address = try #require(Address(path: path))
        let probe = Descriptor(socket(AF_UNIX, gh_SOCK_STREAM_FLAGS, 0))
        // Sound: the kernel copies the address.
        return unsafe address.withSockaddr { unsafe connect(probe.number, $0, $1) } == 0
    }

    private func reason(_ path: String) -> String? {
        do throws(ListenError) {
            let bound = try Binding.unix(path, count: 1)
            close(bound.files)
            bound.file.remove()
            return nil
        } catch { return error.reason }
    }

    @Test func `every loop gets a descriptor, and the file is removed once`() throws {
        let bound = try Binding.unix(path, count: 3)
        #expect(Set(bound.files).count == 3)
        #expect(try answers(path))
        bound.file.remove()
        #expect(folder.names.isEmpty)
        bound.file.remove()
        close(bound.files)
    }

    @Test func `a file that nobody answers for is replaced`() throws {
        let dead = try Binding.unix(path, count: 1)
        close(dead.files)
        let before = inode(path)
        let bound = try Binding.unix(path, count: 1)
        #expect(inode(path) != before)
        #expect(try answers(path))
        bound.file.remove()
        close(bound.files)
    }

    @Test func `one that answers stays, also when its queue is full`() throws {
        let running = try Binding.unix(path, count: 1)
        let before = inode(path)
        #expect(try #require(reason(path)).contains("a running server answers"))
        listen(running.files[0], 0)
        var waiting: [Int32] = []
        let address = try #require(Address(path: path))
        for _ in 0..<4 {
            let file = socket(AF_UNIX, gh_SOCK_STREAM_FLAGS, 0)
            // Sound: the kernel copies the address.
            _ = unsafe address.withSockaddr { unsafe connect(file, $0, $1) }
            waiting.append(file)
        }
        #expect(try #require(reason(path)).contains("a running server answers"))
        #expect(inode(path) == before)
        running.file.remove()
        close(running.files + waiting)
    }

    @Test func `a file that is no socket, and a link, stay as they are`() throws {
        let target = try Binding.unix(path, count: 1)
        close(target.files)
        let plain = folder.path + "/plain"
        let link = folder.path + "/link"
        // Sound: the kernel reads the paths as C strings.
        Glibc.close(unsafe creat(plain, 0o600))
        unsafe symlink(path, link)
        for other in [plain, link, folder.path] {
            let before = inode(other)
            #expect(try #require(reason(other)).contains("no socket"))
            #expect(inode(other) == before)
        }
        #expect(reason(path) == nil)
    }

    @Test func `what another process has put there is not removed`() throws {
        let first = try Binding.unix(path, count: 1)
        close(first.files)
        let second = try Binding.unix(path, count: 1)
        first.file.remove()
        #expect(try answers(path))
        second.file.remove()
        #expect(folder.names.isEmpty)
        close(second.files)
    }

    @Test func `an inode that is free again names no other file`() throws {
        for _ in 0..<20 {
            let first = try Binding.unix(path, count: 1)
            close(first.files)
            // Sound: the kernel reads the path as a C string.
            unsafe unlink(path)
            let second = try Binding.unix(path, count: 1)
            first.file.remove()
            #expect(folder.names == ["hub.sock"])
            second.file.remove()
            close(second.files)
        }
    }

    @Test func `the mode follows the umask`() throws {
        let before = umask(0o007)
        let bound = try Binding.unix(path, count: 1)
        umask(before)
        #expect(mode(path) == 0o770)
        bound.file.remove()
        close(bound.files)
    }

    @Test func `what cannot be a path, or has no folder, is said`() throws {
        let long = folder.path + "/" + String(repeating: "x", count: 107 - folder.path.utf8.count)
        #expect(long.utf8.count == 108)
        #expect(
            reason(long) == "the path has 108 bytes, a UNIX socket's at most 107")
        #expect(reason(String(long.dropLast())) == nil)
        #expect(reason("") == "this is no path of a UNIX socket")
        #expect(reason(folder.path + "/none/hub.sock") == "the folder does not exist")
        #expect(folder.names.isEmpty)
    }

    /// Two starts meet where a stale file lies: without their lock each takes the other's for it.
    @Test func `of two starts at once one wins and answers`() async throws {
        let path = path
        let loops = [EventLoop(name: "one"), EventLoop(name: "other")]
        defer { for loop in loops { loop.thread.stop() } }
        for _ in 0..<200 {
            close(try Binding.unix(path, count: 1).files)
            let start = StartLine()
            let bound = await withTaskGroup(of: [(files: [Int32], file: UnixSocketFile)].self) {
                for loop in loops {
                    $0.addTask {
                        await loop.run { _ in
                            start.wait(for: loops.count)
                            return (try? [Binding.unix(path, count: 1)]) ?? []
                        }
                    }
                }
                return await $0.reduce(into: []) { $0 += $1 }
            }
            #expect(bound.count == 1)
            #expect(try answers(path))
            for one in bound {
                one.file.remove()
                close(one.files)
            }
            #expect(folder.names.isEmpty)
        }
    }

    /// Lets threads go on together.
    private final class StartLine: Sendable {
        private let count = Atomic(0)

        func wait(for others: Int) {
            count.wrappingAdd(1, ordering: .acquiringAndReleasing)
            while count.load(ordering: .acquiring) < others {}
        }
    }

    @Test func `a folder that somebody else keeps locked delays a start and does not bar it`()
        throws
    {
        // Sound: the kernel reads the path as a C string.
        let lock = unsafe open(folder.path, O_RDONLY)
        flock(lock, LOCK_EX)
        let bound = try Binding.unix(path, count: 1)
        #expect(try answers(path))
        Glibc.close(lock)
        bound.file.remove()
        close(bound.files)
    }
}
