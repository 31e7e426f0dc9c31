import GatehouseBase
import GatehouseOIDC

extension Mischief.WrongToken {
    /// Puts in what is wrong with the claims, where that is what is wrong.
    func spoil(_ claims: inout [String: JSONValue], client: String, now: Double) {
        switch self {
        case .wrongIssuer: claims["iss"] = "https://evil.example.org"
        case .wrongAudience: claims["aud"] = "another-client"
        case .missingAudience: claims["aud"] = nil
        case .severalAudiences:
            claims["aud"] = [.string(client), "another-client"]
            claims["azp"] = nil
        case .wrongAuthorizedParty: claims["azp"] = "another-client"
        case .wrongNonce: claims["nonce"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        case .missingNonce: claims["nonce"] = nil
        case .expired:
            claims["iat"] = .number(now - 7200)
            claims["exp"] = .number(now - 3600)
        case .issuedInFuture:
            claims["iat"] = .number(now + 3600)
            claims["exp"] = .number(now + 7200)
        case .missingExpiry: claims["exp"] = nil
        case .missingIssuedAt: claims["iat"] = nil
        case .wrongAccessTokenHash: claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA"
        case .missingSubject: claims["sub"] = nil
        case .emptySubject: claims["sub"] = ""
        case .algorithmNone, .hmacWithSecret, .hmacWithPublicKey, .unknownKey, .foreignKey,
            .embeddedKey, .brokenSignature, .criticalHeader, .notJSON:
            break
        }
    }

    /// Signs, with what is wrong about the signature, where that is what is wrong.
    func sign(
        _ claims: JSONValue, with signer: TokenSigner, secret: String, keySet: [UInt8],
        header: [String: JSONValue]
    ) -> String {
        let keyID = JSONValue.string(signer.keyID)
        switch self {
        case .algorithmNone:
            return TokenSigner.forged(
                claims, header: ["alg": "none", "typ": "JWT", "kid": keyID], hmacKey: nil)
        case .hmacWithSecret:
            return TokenSigner.forged(
                claims, header: ["alg": "HS256", "typ": "JWT", "kid": keyID],
                hmacKey: Array(secret.utf8))
        case .hmacWithPublicKey:
            return TokenSigner.forged(
                claims, header: ["alg": "HS256", "typ": "JWT", "kid": keyID], hmacKey: keySet)
        case .unknownKey:
            return TokenSigner(signer.algorithm, keyID: "nobody-s").token(claims, header: header)
        case .foreignKey:
            return TokenSigner(signer.algorithm, keyID: signer.keyID)
                .token(claims, header: header)
        case .embeddedKey:
            let own = TokenSigner(signer.algorithm, keyID: "own")
            return own.token(claims, header: ["jwk": .object(own.jwk)])
        case .brokenSignature:
            let token = signer.token(claims, header: header)
            let place = token.index(token.endIndex, offsetBy: -10)
            let other = token[place] == "A" ? "B" : "A"
            return token.replacingCharacter(at: place, with: other)
        case .criticalHeader: return signer.token(claims, header: ["crit": ["exp"]])
        case .notJSON: return signer.token(payload: Array("not json".utf8), header: header)
        default: return signer.token(claims, header: header)
        }
    }
}

extension String {
    fileprivate func replacingCharacter(at place: Index, with text: String) -> String {
        self[..<place] + text + self[index(after: place)...]
    }
}
