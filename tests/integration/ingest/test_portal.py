"""What portals tell becomes stock, and what they can't tell becomes a question: a guessed direction
would put goods on a truck that has left without them.
"""

import json
import os

import psycopg
import pytest

from tests.integration.ingest.test_any_order import prepare, take_in
from tests.support.small_day import OUTBOUND, RICE, STREAMS, minutes, portal
from tests.support.small_day import readings as small_day
from waystock.contract.events import Barcode, Batch, Event, Rfid
from waystock.store import portal_command
from waystock.store.audit import verify_ledger

DOCK = ("sha", "gw-dock")
PALLET = OUTBOUND[0]
ON_TRUCK, AT_DOOR, STAGED = "vehicle/t01", "sha/door-1", "sha/staging"


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """With a picked pallet that stands in staging."""
    prepare(database_url)
    monkeypatch.setitem(os.environ, "WAYSTOCK_DATABASE_URL", database_url)
    picked = [event for event in small_day()[DOCK] if isinstance(event, Barcode)]
    take_in(database_url, [[_batch(0, picked)]])
    return database_url


def _batch(first: int, events: list[Event] | list[Barcode]) -> Batch:
    return Batch(stream=STREAMS[DOCK], first=first, sent_at=minutes(0), events=tuple(events))


def pass_portal(url: str, *events: Rfid, first: int = 1_000) -> None:
    take_in(url, [[_batch(first, list(events))]])


def place(url: str) -> str:
    """Where the pallet is, by the projection; its goods with it."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT location FROM lpn WHERE lpn = %s", (PALLET,)).fetchone()
        goods = connection.execute(
            "SELECT location, on_hand FROM stock_position"
            " WHERE lpn = %s AND gtin = %s AND on_hand <> 0",
            (PALLET, RICE),
        ).fetchall()
    assert row is not None
    assert goods == [(row[0], 2)]
    assert verify_ledger(url)[1] == []
    return row[0]


def alerts(url: str) -> list[tuple[str, bool]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT figures ->> 'reason', cleared_at IS NULL FROM alert"
            " WHERE type = 'portal.undecided' ORDER BY opened_at"
        ).fetchall()


def decide(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    capsys.readouterr()
    assert portal_command.run(["decide", *arguments, "--by", "li"]) == 0
    return json.loads(capsys.readouterr().out)


def test_out_through_a_portal_is_loaded_and_in_again_is_unloaded(url: str) -> None:
    assert place(url) == STAGED
    pass_portal(url, portal(12, PALLET, sighting=True))
    assert place(url) == STAGED
    pass_portal(url, portal(12.1, PALLET, "departed", "out"), first=1_001)
    assert place(url) == ON_TRUCK
    pass_portal(url, portal(14, PALLET, "departed", "in"), first=1_002)
    assert place(url) == AT_DOOR
    assert alerts(url) == []


def test_single_reads_kept_on_request_and_furniture_move_nothing(url: str) -> None:
    pass_portal(url, portal(12, PALLET, "read", sighting=True), portal(13, PALLET, "departed"))
    assert place(url) == STAGED


def test_a_reader_that_tells_no_direction_loads_at_arrival_as_before(url: str) -> None:
    pass_portal(url, portal(12, PALLET))
    assert place(url) == ON_TRUCK


def test_an_unknown_direction_moves_nothing_until_a_person_has_decided(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pass_portal(url, portal(12, PALLET, "departed", "unknown", "unclear"))
    assert place(url) == STAGED
    assert alerts(url) == [("unclear", True)]
    assert portal_command.run(["list"]) == 0
    waiting = json.loads(capsys.readouterr().out)
    assert (waiting["lpn"], waiting["door"]) == (PALLET, AT_DOOR)
    assert waiting["evidence"]["reason"] == "unclear"
    assert decide(capsys, PALLET, "out")["kind"] == "load"
    assert place(url) == ON_TRUCK
    assert alerts(url) == []
    assert decide(capsys, waiting["reading"], "none")["kind"] == ""
    assert place(url) == STAGED
    with psycopg.connect(url) as connection:
        told = connection.execute("SELECT direction, decided_by FROM portal_decision").fetchall()
    assert told == [("none", "li")]
    assert portal_command.run(["list"]) == 0
    assert capsys.readouterr().out == ""


def test_a_pallet_that_is_seen_again_answers_the_question(url: str) -> None:
    pass_portal(
        url,
        portal(12, PALLET, "departed", "unknown", "too_few_reads"),
        portal(13, PALLET, "departed", "out"),
    )
    assert place(url) == ON_TRUCK
    assert alerts(url) == [("too_few_reads", False)]


@pytest.mark.parametrize("named", ["1-99", "x", PALLET])
def test_a_decision_about_nothing_is_refused_with_what_would_be_right(
    url: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    del url
    assert portal_command.run(["decide", named, "out"]) == 1
    assert "waystock portal" in capsys.readouterr().err


def test_the_numbers_behind_a_direction_are_kept(url: str) -> None:
    pass_portal(url, portal(12, PALLET, "departed", "unknown", "unclear"), portal(13, PALLET))
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT direction, evidence, sighting, stationary FROM rfid_reading ORDER BY time"
        ).fetchall()
    assert rows == [("unknown", {"reason": "unclear"}, False, False), (None, None, False, False)]
