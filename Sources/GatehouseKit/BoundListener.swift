import GatehouseConfiguration
import GatehouseNet
import Glibc

/// A listener whose address is taken: a descriptor for each loop that serves it.
struct BoundListener: Sendable {
    var settings: ListenerSettings
    /// One for each serving loop, or one for the control loop.
    let files: [Int32]
    /// Address and port as they are.
    let address: Address?
    /// Of a UNIX socket.
    var file: UnixSocketFile?

    var shown: String { address?.description ?? "" }

    /// `https://127.0.0.1:43121`, `http://unix:/run/gatehouse.sock`.
    var url: String { "\(settings.tls == nil ? "http" : "https")://\(shown)" }

    /// Whether the control loop serves it.
    var isControl: Bool { settings.role.isControl }

    /// The descriptor of a serving loop; nil where it is the control loop's.
    func file(ofLoop index: Int) -> Int32? { isControl ? nil : files[index] }

    /// Lets go of the address.
    func close() {
        for file in files { Glibc.close(file) }
        file?.remove()
    }
}
