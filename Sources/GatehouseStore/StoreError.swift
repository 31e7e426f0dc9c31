/// Why the store did not open, or did not do what it was asked to do. The file is not named here:
/// whoever asked knows it.
public enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another process has the file open.
    case locked
    /// The file was written by a newer version of this program, in a format that we cannot read.
    case newer(version: Int)
    /// There is no room left: the disk, a quota or a limit of the process. Nothing of the commit is
    /// there, everything before it is, and the next one may succeed.
    case full
    /// The file is no store of ours, or is no longer one that can be read. When it is opened this is
    /// dealt with (``RecordStore/Damage``); later it may be met in a part that nobody read before.
    case damaged(String)
    /// The system refused to read or write. As for ``full``, the store stays usable.
    case io(String)
    /// The store was closed before.
    case closed

    public var description: String {
        switch self {
        case .locked: "another process has it open"
        case .newer(let version):
            "it has the format \(version) of a newer release, which this one cannot read; "
                + "run that release, or move the file away to begin a new one"
        case .full: "no space is left on its disk"
        case .damaged(let detail): "it is damaged: \(detail)"
        case .io(let detail): detail
        case .closed: "it is closed"
        }
    }
}
