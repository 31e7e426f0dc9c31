import Glibc

@testable import GatehouseNet

/// Two connected sockets on one loop.
enum SocketPair {
    static func make(_ core: LoopCore) -> (Socket, Socket)? {
        var files: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        // Sound: the kernel writes two descriptors.
        guard unsafe socketpair(AF_UNIX, type, 0, &files) == 0 else { return nil }
        return (
            Socket(Descriptor(files[0]), core: core), Socket(Descriptor(files[1]), core: core)
        )
    }
}
