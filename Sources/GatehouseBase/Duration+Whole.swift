extension Duration {
    /// Whole nanoseconds, saturating.
    @inlinable
    public var nanoseconds: Int64 {
        let whole = attoseconds
        let divisor: UInt64 = 1_000_000_000
        let high = UInt64(truncatingIfNeeded: whole >> 64)
        // Deadlines are made several times in a request. Up to 584 years this is one division of
        // the processor, where one of 128 by 128 bits takes a hundred instructions.
        guard high < divisor else {
            return Int64(clamping: whole / Int128(divisor))
        }
        return Int64(
            clamping: divisor.dividingFullWidth((high, UInt64(truncatingIfNeeded: whole))).quotient)
    }

    /// Whole milliseconds, rounded down.
    @inlinable
    public var milliseconds: Int64 { nanoseconds / 1_000_000 }

    /// Whole seconds, rounded down.
    @inlinable
    public var wholeSeconds: Int64 { components.seconds }
}
