/// Heads as they come by.
enum Heads {
    static let small = bytes(
        """
        GET /api/status HTTP/1.1
        Host: hub.example.org
        User-Agent: curl/8.5.0
        Accept: */*


        """)

    static let jupyterLab = bytes(
        """
        GET /user/alice/api/contents/Untitled.ipynb?type=notebook&content=1&hash=1&1764043\
        521000 HTTP/1.1
        Host: hub.example.org
        Connection: keep-alive
        sec-ch-ua-platform: "Linux"
        Authorization: token 7f0c2a1b9d8e4f5a6b7c8d9e0f1a2b3c
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\
         Chrome/156.0.0.0 Safari/537.36
        sec-ch-ua: "Chromium";v="156", "Not)A;Brand";v="24"
        Content-Type: application/json
        X-XSRFToken: 2|3f8a1c2d|5b9e7f60d1a4c3b2e8f7a6d5c4b3a291|1764043500
        sec-ch-ua-mobile: ?0
        Accept: */*
        Sec-Fetch-Site: same-origin
        Sec-Fetch-Mode: cors
        Sec-Fetch-Dest: empty
        Referer: https://hub.example.org/user/alice/lab/tree/Untitled.ipynb
        Accept-Encoding: gzip, deflate, br, zstd
        Accept-Language: en-US,en;q=0.9,de;q=0.8
        Cookie: jupyterhub-session-id=9a8b7c6d5e4f40718293a4b5c6d7e8f9; _xsrf=MnxmMTg1ZjI3\
        YWM3ZTk0YTQ1OGJkYjgyOWIxODRjY2IyZXxhbGljZQ; jupyterhub-user-alice="2|1:0|10:176404\
        3490|21:jupyterhub-user-alice|40:QmFzZTY0RW5jb2RlZFNlc3Npb25WYWx1ZUhlcmUxMjM=|0f1e\
        2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"; __Host-Http-gatehou\
        se=Zm9vYmFyYmF6cXV4.c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmU
        If-None-Match: "1b2c3d4e5f60718293a4b5c6d7e8f901"
        Priority: u=1, i


        """)

    static let response = bytes(
        """
        HTTP/1.1 200 OK
        Server: TornadoServer/6.6.1
        Content-Type: application/json
        Date: Wed, 25 Nov 2026 04:00:00 GMT
        X-Content-Type-Options: nosniff
        Content-Security-Policy: frame-ancestors 'self'; report-uri /api/security/csp-report
        Access-Control-Allow-Origin:
        Etag: "1b2c3d4e5f60718293a4b5c6d7e8f901"
        Last-Modified: Wed, 25 Nov 2026 03:59:00 GMT
        Cache-Control: no-store
        Content-Length: 1874


        """)

    private static func bytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == 0x0A { bytes.append(0x0D) }
            bytes.append(byte)
        }
        return bytes
    }
}
