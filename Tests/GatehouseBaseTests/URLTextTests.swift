import GatehouseBase
import Testing

@Suite struct URLTextTests {
    @Test(arguments: [
        ("http://alice:secret@hub:8081/x", "http://…@hub:8081/x"),
        ("http://alice@hub", "http://…@hub"), ("http://:@hub", "http://…@hub"),
        ("http://a:p@ss/w?o#r\\d@hub", "http://…@hub"),
        ("'https://b' and http://u:p@c.", "'https://b' and http://…@c."),
        ("http://a:b@c, https://d:e@f", "http://…@c, https://…@f"),
        ("alice@hub.example", "alice@hub.example"),
        ("http://hub/x and a@b", "http://hub/x and a@b"),
        ("http://a:ü@b", "http://…@b"), ("://@", "://…@"), ("", ""),
    ])
    func `what stands before a host is left out`(text: String, shown: String) {
        #expect(URLText.withoutUserInformation(text) == shown)
    }
}
