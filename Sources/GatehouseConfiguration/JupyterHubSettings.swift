/// `jupyterhub`: what the preset must know of the Hub.
public struct JupyterHubSettings: Sendable, Hashable {
    /// `base_url`.
    public var baseURL = HubBaseURL.root
    /// `api_url`: where the token lane asks the Hub, such as `http://127.0.0.1:8081/hub/api` or
    /// `http+unix://%2Frun%2Fhub.sock/hub/api`; nil: on the Hub's own route, below ``baseURL``.
    public var apiURL: String?

    public init() {}
}
