"""What the end of a session ends, and how soon."""
from .basics import wait_until
from .client import LiveSocket

LIMIT = 3.0             # seconds from the act to the end as seen from outside
OWN_LIMIT = 1000        # milliseconds from the cause's arrival to the end by our own stamps


def assert_all_dead(things, cause, limit=LIMIT):
    for thing in things:
        thing.over.wait(limit + 5)
        assert thing.over.is_set(), f"{thing.what} lives on"
    times = {thing.what: round(thing.ended_at - cause, 3) for thing in things}
    print("seconds from the act to the end:", times)
    assert max(times.values()) <= limit, times
    for thing in things:
        assert thing.how != "complete", f"{thing.what} ended as if it were whole"
        if isinstance(thing, LiveSocket):
            assert thing.how == 1008, (thing.what, thing.how)


def assert_dead_by_our_stamps(gateway, mark, cause, count, method="POST", others=False):
    """What the access log says of the ends that `cause` made; `others` may have ended too."""
    deaths = wait_until(
        lambda: len(found := gateway.deaths(mark, cause, method)) >= count and found, 5,
        f"{count} lines of ended exchanges")
    print("milliseconds by our stamps:", deaths)
    assert others or len(deaths) == count
    assert max(after for _, after in deaths) <= OWN_LIMIT, deaths
