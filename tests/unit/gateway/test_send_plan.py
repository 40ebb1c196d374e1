"""What the uplink sends next: everything at least until it is acknowledged, fresh events first."""

from hypothesis import given
from hypothesis import strategies as st

from waystock_gateway.offset_ranges import OffsetRanges
from waystock_gateway.send_plan import SendPlan


def make_plan(live_max: int = 2, backlog_max: int = 2, fresh_max: int = 0) -> SendPlan:
    return SendPlan(
        live_max=live_max,
        backlog_max=backlog_max,
        resend_s=5,
        resend_s_max=60,
        random=lambda: 0.5,
        fresh_max=fresh_max,
    )


def send_all(plan: SendPlan, mono_s: float, batch: int = 10) -> list[tuple[int, int]]:
    sent: list[tuple[int, int]] = []
    while (todo := plan.next(mono_s)) is not None:
        end = min(todo.end, todo.first + batch)
        plan.sent(todo, end, mono_s)
        sent.append((todo.first, end))
    return sent


def test_fresh_events_go_before_the_backlog() -> None:
    plan = make_plan()
    plan.connected(0, 100)
    plan.appended(105)
    assert send_all(plan, 0) == [(100, 105), (0, 10), (10, 20)]


def test_what_was_read_just_before_a_connection_goes_before_a_week_s_backlog() -> None:
    plan = make_plan(fresh_max=5)
    plan.connected(0, 100)
    assert send_all(plan, 0) == [(95, 100), (0, 10), (10, 20)]
    plan.acknowledge([(0, 20), (95, 100)])
    assert send_all(plan, 0) == [(20, 30), (30, 40)]


def test_windows_stop_what_the_store_does_not_acknowledge() -> None:
    plan = make_plan()
    plan.connected(0, 100)
    send_all(plan, 0)
    plan.acknowledge([(0, 10)])
    assert send_all(plan, 1) == [(20, 30)]


def test_what_is_not_acknowledged_is_sent_again_and_again_later() -> None:
    plan = make_plan()
    plan.connected(0, 10)
    assert send_all(plan, 0) == [(0, 10)]
    assert send_all(plan, 4.9) == []
    assert send_all(plan, 5) == [(0, 10)]
    assert send_all(plan, 14) == []
    assert send_all(plan, 15) == [(0, 10)]
    assert plan.resent == 2


def test_only_what_is_missing_is_sent_again() -> None:
    plan = make_plan()
    plan.connected(0, 10)
    send_all(plan, 0)
    plan.acknowledge([(3, 6)])
    assert sorted(send_all(plan, 5)) == [(0, 3), (6, 10)]


def test_a_new_connection_asks_nothing_twice_that_is_acknowledged() -> None:
    plan = make_plan(backlog_max=9)
    plan.connected(0, 30)
    send_all(plan, 0)
    plan.acknowledge([(10, 20)])
    plan.connected(0, 30)
    assert send_all(plan, 1) == [(0, 10), (20, 30)]


def test_after_a_long_stall_the_newest_events_go_first() -> None:
    plan = make_plan(live_max=1, backlog_max=9)
    plan.connected(0, 0)
    plan.appended(10)
    assert send_all(plan, 0) == [(0, 10)]
    plan.appended(50)
    assert send_all(plan, 1) == []
    plan.acknowledge([(0, 10)])
    plan.appended(60)
    assert send_all(plan, 4) == [(10, 20), (20, 30), (30, 40), (40, 50), (50, 60)]
    plan.appended(61)
    assert send_all(plan, 4) == [(60, 61)]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 30)),
        st.tuples(st.just("connect"), st.just(0)),
        st.tuples(st.just("ack"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.integers(0, 20)),
    ),
    max_size=40,
)


@given(steps)
def test_whatever_happens_every_event_is_delivered_in_the_end(
    moves: list[tuple[str, int]],
) -> None:
    plan, mono_s, next_offset = make_plan(), 0.0, 0
    stored = OffsetRanges()
    under_way: list[tuple[int, int]] = []

    def acknowledge(count: int) -> None:
        for _ in range(min(count, len(under_way))):
            first, end = under_way.pop(0)
            stored.add(first, end)
            plan.acknowledge([(first, end)])

    plan.connected(0, 0)
    for move, amount in moves:
        if move == "append":
            next_offset += amount
            plan.appended(next_offset)
        elif move == "connect":
            under_way.clear()
            plan.connected(stored.next_missing(0), next_offset)
        elif move == "ack":
            acknowledge(amount)
        else:
            mono_s += amount
        under_way += send_all(plan, mono_s)
    for _ in range(200):
        mono_s += 70
        under_way += send_all(plan, mono_s)
        acknowledge(99)
    assert list(stored) == ([(0, next_offset)] if next_offset else [])
    assert plan.is_idle


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8))), st.integers(0, 70))
def test_ranges_are_a_set_of_numbers(runs: list[tuple[int, int]], probe: int) -> None:
    ranges, numbers = OffsetRanges(), set[int]()
    for first, length in runs:
        ranges.add(first, first + length)
        numbers |= set(range(first, first + length))
    assert {n for first, end in ranges for n in range(first, end)} == numbers
    assert ranges.next_missing(probe) == next(n for n in range(probe, 200) if n not in numbers)
    assert ranges.next_present(probe) == min((n for n in numbers if n >= probe), default=None)
    gaps = {n for first, end in ranges.gaps(5, 50) for n in range(first, end)}
    assert gaps == set(range(5, 50)) - numbers
    head, rest = ranges.split(7)
    assert {n for a, b in head for n in range(a, b)} == set(sorted(numbers)[:7])
    assert {n for a, b in rest for n in range(a, b)} == set(sorted(numbers)[7:])
