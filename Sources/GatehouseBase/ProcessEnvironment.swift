import Glibc

/// The environment of the process.
public enum ProcessEnvironment {
    /// Names to values.
    public static var variables: [String: String] {
        var variables: [String: String] = [:]
        var entry = unsafe environ
        // Sound: the environment ends with a null pointer; nobody changes it while we start.
        while let text = unsafe entry.pointee {
            let line = unsafe String(cString: text)
            if let equals = line.firstIndex(of: "=") {
                variables[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
            unsafe entry += 1
        }
        return variables
    }
}
