"""Ticks, cursors and snapshots of a channel: whoever follows them ends with the picture."""

import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api.entries import stock, transit
from waystock_api.live.channel import PART_CHARS_MAX, TICK_S, Channel, Delta, Snapshot
from waystock_api.live.picture import Gone, News, Picture, make_entry


def channel_on(picture: Picture, ring_changes_max: int = 1000) -> Channel:
    return Channel("stock", "e1", picture.entries, ring_changes_max=ring_changes_max)


def opened(delta: Delta) -> dict[str, list[object]]:
    return json.loads("{" + delta.body + "}") if delta.body else {"up": [], "rm": []}


def test_a_change_leaves_at_once_when_the_channel_was_idle() -> None:
    picture = Picture("stock")
    channel = channel_on(picture)
    channel.add(picture.apply([stock("sha", "1", 1, 1)]).changes)
    assert channel.due_in_s(100.0) == 0.0


def test_changes_that_come_close_together_leave_as_one_tick() -> None:
    picture = Picture("stock")
    channel = channel_on(picture)
    channel.add(picture.apply([stock("sha", "1", 1, 1)]).changes)
    channel.tick(100.0)
    for version in range(2, 6):
        channel.add(picture.apply([stock("sha", "1", version, version)]).changes)
    wait_s = channel.due_in_s(100.02)
    assert wait_s is not None
    assert abs(wait_s - (TICK_S - 0.02)) < 1e-9
    channel.tick(100.1)
    up = opened(channel.delta_after(1, None))["up"]
    assert [entity["on_hand"] for entity in up] == [5]  # pyright: ignore


def test_clients_of_one_filter_share_one_encoding() -> None:
    picture = Picture("stock")
    channel = channel_on(picture)
    channel.add(picture.apply([stock("sha", "1", 1, 1)]).changes)
    channel.tick(0.0)
    assert channel.delta_after(0, None) is channel.delta_after(0, None)
    assert channel.snapshot(0.0, "sha") is channel.snapshot(0.5, "sha")


def test_a_site_filter_hides_other_sites_and_removes_what_moves_away() -> None:
    picture = Picture("transit")
    channel = Channel("transit", "e1", picture.entries)
    here = make_entry(transit("t1", 1, shipment="s1"), {"s1": "sha"})
    there = make_entry(transit("t1", 2, shipment="s2"), {"s2": "ber"})
    channel.add(picture.apply([here]).changes)
    channel.tick(0.0)
    channel.add(picture.apply([there]).changes)
    channel.tick(1.0)
    assert opened(channel.delta_after(1, "sha")) == {"up": [], "rm": ["t1"]}
    assert len(opened(channel.delta_after(1, "ber"))["up"]) == 1
    assert channel.delta_after(1, "osl").body == ""
    assert channel.snapshot(5.0, "sha").parts == ("",)


def test_a_ring_that_is_full_drops_the_oldest_ticks_and_says_so() -> None:
    picture = Picture("stock")
    dropped: list[int] = []
    channel = Channel("stock", "e1", picture.entries, dropped.append, ring_changes_max=3)
    for version in range(1, 6):
        channel.add(picture.apply([stock("sha", "1", version, version)]).changes)
        channel.tick(float(version))
    assert sum(dropped) == 2
    assert [channel.reaches(seq) for seq in range(7)] == [
        False,
        False,
        True,
        True,
        True,
        True,
        False,
    ]


def test_after_a_reset_no_old_cursor_is_within_reach() -> None:
    picture = Picture("stock")
    channel = channel_on(picture)
    channel.add(picture.apply([stock("sha", "1", 1, 1)]).changes)
    channel.tick(0.0)
    before = channel.snapshot(0.0, None).seq
    channel.reset()
    assert not channel.reaches(before)
    assert channel.reaches(channel.snapshot(0.1, None).seq)


def test_a_big_snapshot_comes_in_parts_that_together_are_the_picture() -> None:
    picture = Picture("stock")
    channel = channel_on(picture)
    picture.apply([stock("sha", f"{n:014}", n, 1) for n in range(5000)])
    snapshot = channel.snapshot(0.0, None)
    assert len(snapshot.parts) > 1
    assert max(len(part) for part in snapshot.parts) <= PART_CHARS_MAX
    keys = [entity["key"] for part in snapshot.parts for entity in json.loads(f"[{part}]")]
    assert keys == [entry.entity.key for entry in picture.entries()]


class Client:
    """Follows a channel as the protocol says."""

    def __init__(self, site: str | None) -> None:
        self.site = site
        self.cursor: int | None = None
        self.seen: dict[str, object] = {}

    def catch_up(self, channel: Channel, now_s: float) -> None:
        if self.cursor is None or not channel.reaches(self.cursor):
            snapshot: Snapshot = channel.snapshot(now_s, self.site)
            self.cursor = snapshot.seq
            entities = [e for part in snapshot.parts for e in json.loads(f"[{part}]")]
            self.seen = {entity["key"]: entity for entity in entities}
        delta = channel.delta_after(self.cursor, self.site)
        self.cursor = delta.seq
        for entity in opened(delta)["up"]:
            self.seen[entity["key"]] = entity  # pyright: ignore
        for key in opened(delta)["rm"]:
            self.seen.pop(key, None)  # pyright: ignore


Step = tuple[str, str, str, bool]
steps = st.lists(
    st.tuples(
        st.sampled_from(["change", "tick", "one", "two", "load"]),
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from(["sha", "ber", "nowhere"]),
        st.booleans(),
    ),
    max_size=60,
)


@given(steps)
def test_clients_that_look_now_and_then_end_with_the_picture(script: list[Step]) -> None:
    picture = Picture("transit")
    channel = Channel("transit", "e1", picture.entries, ring_changes_max=4)
    clients = {"one": Client(None), "two": Client("sha")}
    clock_s = 0.0
    for version, (what, key, site, gone) in enumerate(script, start=1):
        clock_s += 0.3
        entity = transit(key, version, shipment=site)
        entry: News = make_entry(entity, {"sha": "sha", "ber": "ber"})
        entry = Gone(key, version) if gone else entry
        act: dict[str, Callable[[], None]] = {
            "change": lambda e=entry: channel.add(picture.apply([e]).changes),
            "tick": lambda now_s=clock_s: channel.tick(now_s),
            "load": lambda: load_again(picture, channel),
        }
        if what in clients:
            clients[what].catch_up(channel, clock_s)
        else:
            act[what]()
    channel.tick(clock_s + 1)
    for client in clients.values():
        client.catch_up(channel, clock_s + 2)
        client.catch_up(channel, clock_s + 2)
        expected = {
            entry.entity.key: json.loads(entry.text)
            for entry in picture.entries()
            if client.site is None or not entry.sites or client.site in entry.sites
        }
        assert client.seen == expected


def load_again(picture: Picture, channel: Channel) -> None:
    entries = list(picture.entries())[1:]
    picture.begin_load()
    channel.add(picture.finish_load(entries).changes)
