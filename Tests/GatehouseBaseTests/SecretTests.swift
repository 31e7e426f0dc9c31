import GatehouseBase
import Testing

struct SecretTests {
    private struct Holder {
        let name = "holder"
        let token = Secret("swordfish")
    }

    /// D18.
    @Test func `a secret prints as nothing but a placeholder`() {
        let secret = Secret("swordfish")
        var dumped = ""
        dump(Holder(), to: &dumped)
        let texts = [
            "\(secret)", String(describing: secret), String(reflecting: secret), "\([secret])",
            "\(Holder())", String(reflecting: Holder()), dumped, "\(Optional(secret) as Any)",
        ]
        for text in texts {
            #expect(!text.contains("swordfish"))
            // Nor as the numbers of its bytes.
            #expect(!text.contains("115, 119"))
            #expect(!text.contains("115\n"))
            #expect(text.contains("‹secret›"))
        }
    }

    @Test func `secrets are equal by their bytes`() {
        #expect(Secret("abc") == Secret([0x61, 0x62, 0x63]))
        #expect(Secret("abc") != Secret("abd"))
        #expect(Secret("abc") != Secret("ab"))
        #expect(Secret("") == Secret([]))
        #expect(Secret("\u{212A}") != Secret("K"))
    }

    @Test func `bytes are lent and revealed as they were`() {
        let secret = Secret([1, 2, 3])
        #expect(secret.count == 3)
        #expect(secret.withBytes { $0[1] } == 2)
        #expect(secret.reveal() == [1, 2, 3])
        #expect(Secret("é").revealText() == "é")
        #expect(Secret([]).withBytes { $0.isEmpty })
    }

    @Test func `random secrets have their length and differ`() {
        let secrets = (0..<50).map { _ in Secret.random(count: 32).reveal() }
        #expect(Set(secrets).count == 50)
        #expect(secrets.allSatisfy { $0.count == 32 })
    }

    @Test func `comparing in constant time compares`() {
        #expect(constantTimeEquals([], []))
        #expect(constantTimeEquals([1, 2], [1, 2]))
        #expect(!constantTimeEquals([1, 2], [1, 3]))
        #expect(!constantTimeEquals([1, 2], [1, 2, 0]))
    }
}
