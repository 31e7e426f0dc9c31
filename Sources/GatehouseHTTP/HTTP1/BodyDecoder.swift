public import GatehouseBase

/// Takes a body out of a connection's bytes, whatever its framing.
public struct BodyDecoder: Sendable {
    private enum State: Sendable {
        case ended
        case length(Int)
        case chunked(ChunkedDecoder)
        case untilClose
        /// A chunk was malformed: nobody knows where the body ends, and what the next request is.
        case broken
    }

    private var state: State

    /// The trailer section, once a chunked body has ended.
    public private(set) var trailers: Fields?

    public init(_ framing: BodyFraming, _ limits: Limits) {
        state =
            switch framing {
            case .none, .length(0): .ended
            case .length(let count): .length(count)
            case .chunked: .chunked(ChunkedDecoder(limits))
            case .untilClose: .untilClose
            }
    }

    /// Whether the body is complete; one that ends by the close is not until then.
    public var isEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// Whether the end of the connection is the end of the body.
    public var endsWithConnection: Bool {
        if case .untilClose = state { true } else { false }
    }

    /// What the first bytes of `input` are; see ``ChunkedDecoder/decode(_:)``.
    public mutating func decode(
        _ input: borrowing Span<UInt8>
    ) throws(MessageError) -> ChunkedDecoder.Step {
        switch state {
        case .ended:
            return ChunkedDecoder.Step(skipped: 0, payload: 0, isEnd: true)
        case .broken:
            throw MessageError(.chunk)
        case .untilClose:
            return ChunkedDecoder.Step(skipped: 0, payload: input.count, isEnd: false)
        case .length(let remaining):
            let count = min(remaining, input.count)
            state = count == remaining ? .ended : .length(remaining - count)
            return ChunkedDecoder.Step(skipped: 0, payload: count, isEnd: count == remaining)
        case .chunked(var decoder):
            state = .broken
            let step = try decoder.decode(input)
            if step.isEnd {
                state = .ended
                if !decoder.trailers.isEmpty { trailers = decoder.trailers }
            } else {
                state = .chunked(decoder)
            }
            return step
        }
    }
}
