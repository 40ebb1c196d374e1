"""What a scan refers to was scanned before it, perhaps many scans and commits ago: goods are booked
from the bin and onto the pallet that the picker had in hand, wherever a commit ends.
"""

import itertools
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import pytest

from tests.integration.ingest.test_any_order import contents, prepare, take_in
from tests.support.processes import wait_until
from tests.support.small_day import GLN, INBOUND, OUTBOUND, RICE, STREAMS, minutes
from waystock.contract.events import Barcode, Batch
from waystock.stock.interpret import CONTEXT, Operation
from waystock.store.connection import Database, connect
from waystock.store.directory import load_master
from waystock.store.scans import LEAD_IN_ROWS
from waystock.store.stock import apply_operations

DOCK = ("sha", "gw-dock")
LEDGER = ("operation", "movement", "stock_position", "lpn")


@pytest.fixture
def url(database_url: str) -> str:
    prepare(database_url)
    return database_url


def scan(at: datetime, device: str, *elements: tuple[str, str]) -> Barcode:
    data = "".join(ai + value for ai, value in elements)
    return Barcode(
        device=device, time=at, captured_at=at, aim="]C1", format="gs1", data=data,
        elements=elements,
    )  # fmt: skip


def bin_label(code: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (("414", GLN), ("254", code))


def shift() -> Iterator[Barcode]:
    """A long order of one pallet, from two bins, with several scans in one instant; beside it
    put-aways, one of which is done only after its pallet is forgotten.
    """
    yield scan(minutes(0), "pick", ("00", OUTBOUND[0]))
    for stop, code in enumerate(("a-01", "a-02")):
        yield scan(minutes(1 + stop), "pick", *bin_label(code))
        for item in range(3 * LEAD_IN_ROWS):
            at = minutes(1.1 + stop) + timedelta(seconds=item // 4)
            yield scan(at, "pick", ("01", RICE))
    for pallet, at, wait in (
        (INBOUND[0], minutes(4), timedelta(minutes=1)),
        (INBOUND[1], minutes(6), CONTEXT * 2),
    ):
        yield scan(at, "store", ("00", pallet))
        for unknown in range(2 * LEAD_IN_ROWS):
            yield scan(at + timedelta(seconds=unknown), "store", *bin_label("nowhere"))
        yield scan(at + wait, "store", *bin_label("a-02"))
    yield scan(minutes(11), "pick", ("01", RICE))


def as_batches(events: Iterable[Barcode], size: int) -> list[Batch]:
    numbered = enumerate(events)
    return [
        Batch(stream=STREAMS[DOCK], first=part[0][0], sent_at=minutes(0),
              events=tuple(event for _, event in part))
        for part in iter(lambda: list(itertools.islice(numbered, size)), [])
    ]  # fmt: skip


def ledger(url: str) -> dict[str, list[str]]:
    every = contents(url)
    return {table: every[table] for table in LEDGER}


def test_the_bin_and_the_pallet_in_hand_outlast_any_number_of_commits(
    url: str, database_server: object
) -> None:
    take_in(url, [as_batches(shift(), 10_000)])
    at_once = ledger(url)
    assert sum(",pick," in row for row in at_once["operation"]) == 6 * LEAD_IN_ROWS
    orders: list[Callable[[list[Batch]], None]] = [
        lambda _: None,
        random.Random(5).shuffle,
        list.reverse,
    ]
    for size, arrange in itertools.product((1, 5), orders):
        with database_server.migrated_database() as other:  # type: ignore[attr-defined]
            prepare(other)
            parts = as_batches(shift(), size)
            arrange(parts)
            take_in(other, [[one] for one in parts])
            assert ledger(other) == at_once, (size, arrange)


def receive(offset: int, lpn: str, at: datetime, place: str) -> Operation:
    return Operation(
        9, offset, at, at, "recv", "receive", lpn, RICE, "", 5, "supplier/acme", place, ""
    )


def waits_for_lock(watching: Database) -> bool:
    row = watching.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    ).fetchone()
    return row is not None and row[0] > 0


def test_a_pallet_first_seen_by_two_workers_at_once_is_received_once(url: str) -> None:
    pallets = ["9" * 18, "8" * 18]
    with (
        connect(url, "a") as first,
        connect(url, "b") as second,
        connect(url, "c", autocommit=True) as watching,
    ):
        directory = load_master(watching).directory

        def later() -> None:
            again = [receive(2, pallets[0], minutes(2), "sha/a-02")]
            again.append(receive(3, pallets[1], minutes(2), "sha/a-02"))
            apply_operations(second, [], again, directory)
            second.commit()

        apply_operations(first, [], [receive(1, pallets[0], minutes(1), "sha/dock-1")], directory)
        other = threading.Thread(target=later)
        other.start()
        wait_until(lambda: waits_for_lock(watching), "the second worker waits", within_s=20)
        first.commit()
        other.join()
    rows = ledger(url)
    assert [row for row in rows["movement"] if pallets[0] in row and "dock-1" in row]
    assert len([row for row in rows["movement"] if pallets[0] in row]) == 1
    assert f"({pallets[0]},sha/dock-1)" in rows["lpn"]
    assert f"({pallets[1]},sha/a-02)" in rows["lpn"]


def test_of_two_pallets_scanned_in_one_instant_the_later_one_is_put_away(url: str) -> None:
    numbered = [scan(minutes(1), "store", ("00", sscc)) for sscc in INBOUND[:2]]
    numbered += [
        scan(minutes(1) + timedelta(seconds=unknown + 1), "store", *bin_label("nowhere"))
        for unknown in range(LEAD_IN_ROWS - 1)
    ]
    numbered.append(scan(minutes(2), "store", *bin_label("a-02")))
    take_in(url, [[one] for one in as_batches(numbered, 1)])
    (putaway,) = [row for row in contents(url)["operation"] if ",putaway," in row]
    assert INBOUND[1] in putaway
