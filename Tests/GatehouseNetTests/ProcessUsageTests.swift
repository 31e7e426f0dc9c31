import GatehouseNet
import Glibc
import Testing

struct ProcessUsageTests {
    // In a process of its own: other tests open and close beside it.
    @Test func `open descriptors, memory and processor time are the process's`() async {
        await #expect(processExitsWith: .success) {
            let before = ProcessUsage.now()
            var files: [Int32] = []
            for _ in 0..<300 { files.append(dup(0)) }
            var sum = 0.0
            while ProcessUsage.now().userSeconds + ProcessUsage.now().systemSeconds
                < before.userSeconds + before.systemSeconds + 0.02
            { sum += 1 }
            let after = ProcessUsage.now()
            for file in files { close(file) }
            #expect(after.openFiles - before.openFiles >= 300)
            #expect(after.openFiles <= after.maximumFiles)
            #expect(after.residentBytes > 1 << 20)
            #expect(after.virtualBytes > after.residentBytes)
            #expect(after.userSeconds >= before.userSeconds)
            #expect(after.systemSeconds >= before.systemSeconds)
        }
    }
}
