/// Why a text is not JSON that we take; offsets are bytes from its start.
public enum JSONError: Error, Sendable, Equatable {
    /// Longer than the limit.
    case tooLarge
    /// More arrays and objects within each other than the limit.
    case tooDeep(offset: Int)
    /// Not what RFC 8259 allows here.
    case syntax(offset: Int)
    /// The same name twice in one object.
    case duplicateName(offset: Int)
    /// A number beyond a double.
    case number(offset: Int)
}
