"""The picture shows the newest state, whatever order and however often messages come."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api.entries import NOON, alert, entries_of, movement, stock, transit
from waystock_api.live.picture import (
    MOVEMENTS_KEPT,
    Gone,
    News,
    Picture,
    make_entry,
    sites_of,
)


def shown(picture: Picture) -> dict[str, int]:
    return {entry.entity.key: entry.entity.version for entry in picture.entries()}


def test_an_older_delta_never_turns_the_screen_back() -> None:
    picture = Picture("stock")
    picture.apply([stock("sha", "1", 10, version=5)])
    outcome = picture.apply([stock("sha", "1", 3, version=4)])
    assert (outcome.changes, outcome.stale) == ([], 1)
    assert shown(picture) == {"sha/1": 5}


def test_an_entity_that_is_gone_does_not_come_back_with_a_late_message() -> None:
    deltas: list[News] = [
        stock("sha", "1", 10, version=1),
        stock("sha", "1", 0, version=2),
        Gone("sha/1", 3),
    ]
    for order in permutations(deltas):
        picture = Picture("stock")
        for delta in order:
            picture.apply([delta])
        assert shown(picture) == {}, order


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]), st.integers(1, 6), st.booleans(), st.booleans()
        ),
        max_size=12,
    ),
    st.randoms(),
)
def test_any_order_and_repetition_of_deltas_gives_the_same_picture(
    told: list[tuple[str, int, bool, bool]], shuffler: object
) -> None:
    # One version of one key is one state: the first told stands for all of that version.
    states = {(key, version): gone for key, version, gone, _ in reversed(told)}
    deltas: list[News] = [
        Gone(f"s/{key}", version) if gone else stock("s", key, 1, version)
        for (key, version), gone in states.items()
    ]
    repeated = deltas + [deltas[i] for i, entry in enumerate(told[: len(deltas)]) if entry[3]]
    shuffler.shuffle(repeated)  # pyright: ignore[reportAttributeAccessIssue]
    picture, expected = Picture("stock"), dict[str, int]()
    for delta in repeated:
        picture.apply([delta])
    for key in {key for key, _ in states}:
        version = max(version for known, version in states if known == key)
        if not states[key, version]:
            expected[f"s/{key}"] = version
    assert shown(picture) == expected


def test_a_load_removes_what_the_store_no_longer_has() -> None:
    picture = Picture("stock")
    picture.apply([stock("sha", "1", 1, version=1), stock("sha", "2", 1, version=1)])
    picture.begin_load()
    outcome = picture.finish_load([stock("sha", "2", 1, version=1)])
    assert [(change.key, change.after) for change in outcome.changes] == [("sha/1", None)]


def test_a_delta_during_a_load_is_not_undone_by_it() -> None:
    picture = Picture("stock")
    picture.apply([stock("sha", "3", 1, version=1)])
    picture.begin_load()
    picture.apply([stock("sha", "1", 7, version=9), Gone("sha/3", 9)])
    picture.finish_load([stock("sha", "1", 5, version=8), stock("sha", "3", 1, version=1)])
    assert shown(picture) == {"sha/1": 9}


def test_a_load_tells_what_changed_without_a_new_version() -> None:
    """Such as a gateway whose lease has run out: same report, other state."""
    picture = Picture("stock")
    picture.apply([stock("sha", "1", 1, version=1)])
    picture.begin_load()
    outcome = picture.finish_load([stock("sha", "1", 2, version=1)])
    assert len(outcome.changes) == 1


def test_a_load_brings_back_what_was_wrongly_thought_gone() -> None:
    """Such as an alert that was removed and made again while two clocks disagreed."""
    picture = Picture("stock")
    picture.apply([Gone("sha/1", 50)])
    for expected in ({}, {"sha/1": 40}):
        picture.begin_load()
        picture.finish_load([stock("sha", "1", 2, version=40)])
        assert shown(picture) == expected


def test_a_load_that_finds_nothing_new_tells_nobody_anything() -> None:
    picture = Picture("stock")
    picture.apply([stock("sha", "1", 1, version=1)])
    picture.begin_load()
    assert picture.finish_load([stock("sha", "1", 1, version=1)]).changes == []


def test_a_full_picture_refuses_new_keys_and_keeps_updating_known_ones() -> None:
    picture = Picture("stock", entities_max=1)
    picture.apply([stock("sha", "1", 1, version=1)])
    outcome = picture.apply([stock("sha", "2", 1, version=1), stock("sha", "1", 2, version=2)])
    assert outcome.refused == 1
    assert shown(picture) == {"sha/1": 2}


def test_alerts_leave_the_screen_an_hour_after_they_cleared() -> None:
    picture = Picture("alerts")
    picture.apply(
        entries_of(
            [
                alert("old", 1, cleared_ago_s=3601),
                alert("new", 1, cleared_ago_s=10),
                alert("open", 1),
            ]
        )
    )
    changes = picture.prune(NOON.timestamp())
    assert [change.key for change in changes] == ["old"]
    assert set(shown(picture)) == {"new", "open"}


def test_the_ticker_keeps_the_newest_movements_in_order() -> None:
    picture = Picture("movements")
    names = [f"m{minute:03}" for minute in range(MOVEMENTS_KEPT + 20)]
    for minute in reversed(range(len(names))):
        outcome = picture.apply(entries_of([movement(names[minute], minute)]))
        assert len(outcome.changes) == 1, "a late movement is still told to those who listen"
    assert [entry.entity.key for entry in picture.entries()] == names[20:]


def test_a_mended_movement_is_told_even_where_the_window_has_let_it_go() -> None:
    picture = Picture("movements")
    outcome = picture.apply([Gone("m1", 1)])
    assert [(change.key, change.after) for change in outcome.changes] == [("m1", None)]


def test_a_vehicle_belongs_to_the_site_its_shipment_leaves_from() -> None:
    with_shipment = transit("truck-1", 1, shipment="s1")
    assert sites_of(with_shipment, {"s1": "sha"}) == {"sha"}
    assert sites_of(with_shipment, {"s1": None}) == frozenset()
    assert sites_of(transit("truck-1", 1), {}) == frozenset()


def test_a_movement_belongs_to_the_sites_at_its_ends() -> None:
    assert make_entry(movement("m", 1), {}).sites == {"sha"}
