"""One minute of the load of `make soak`: nothing fails, nothing leaks. No provider."""
import json
import sys

import pytest

from lab.basics import TOP, need

sys.path.insert(0, str(TOP / "Tests/Soak"))

import soak  # noqa: E402


def test_a_minute_of_a_busy_hub_and_of_failures_leaks_nothing(folder):
    need(soak.available("gatehouse"), "there is no .build/release/gatehouse: run `make build`")
    made = folder / "soak"
    made.mkdir()
    result = soak.run("gatehouse", 60, made)
    (made / "result.log").write_text(json.dumps(result))
    wrong = soak.judge(result)
    if wrong:
        pytest.fail("\n".join([*wrong, soak.summary(result)]), pytrace=False)
    print(soak.summary(result))
