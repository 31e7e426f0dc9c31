"""The mark that ties a test to a sentence of the contract."""
import pytest

PEERS = ["chp45", "chp53", "gatehouse"]


def contract(section, sentence, *, chp=None, chp45=None, chp53=None, gatehouse=None, why=""):
    """The test observes `sentence` of `section` (docs/COMPATIBILITY.md). A peer that does something
    else has its words here, and the test asserts that, too; `chp` stands for both versions, `why`
    is the reason of Gatehouse's difference."""
    differs = {"chp45": chp45 or chp, "chp53": chp53 or chp, "gatehouse": gatehouse}
    return pytest.mark.contract(
        section, sentence, why=why,
        differs={peer: words for peer, words in differs.items() if words})
