/// HTTP/1.0 or HTTP/1.1 on the wire; later also what HTTP/2 carries.
public enum Version: UInt8, Sendable {
    case http10, http11
}
