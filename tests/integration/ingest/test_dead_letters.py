"""Dead letters in a person's hands: nothing put aside is lost for good, nothing retried comes in
twice, whoever else is at it and whatever is killed meanwhile.
"""

import subprocess
import zlib
from pathlib import Path

import msgspec
import psycopg
import pytest

from tests.integration.ingest.letters import (
    OWNER,
    SPOILT,
    STREAM,
    TOPIC,
    WAYSTOCK,
    Store,
    batch,
    finish,
    pallet,
    results,
    scan,
)
from tests.support.processes import wait_until
from tests.support.small_day import INBOUND, master_data
from waystock.contract.events import encode_event
from waystock.contract.live import AlertEntity
from waystock.contract.topics import gateway_topic
from waystock.store.audit import verify_ledger
from waystock.store.connection import connect
from waystock.store.live import load_entities
from waystock.store.masterdata import import_master_data


@pytest.fixture
def store(database_url: str) -> Store:
    with connect(database_url, "test") as database:
        import_master_data(database, master_data())
    return Store(database_url)


def test_the_list_tells_who_sent_what_and_why_it_was_refused_page_by_page(store: Store) -> None:
    store.take_in(b"\x00\xff no batch", topic=TOPIC)
    store.take_in(b"{}", topic="waystock/v1/SHA!/gw/events")
    ids = store.refuse(scan("bad 1"), scan("good"), scan("bad 2"))
    assert len(ids) == 4
    lines = store.command("list")
    assert [line["id"] for line in lines] == ids[::-1]
    newest = lines[0]
    assert (newest["site"], newest["gateway"], newest["topic"]) == (*OWNER, TOPIC)
    assert (newest["stream"], newest["offset"], newest["times"]) == (str(STREAM), 2, 1)
    assert newest["stage"] == "keep_readings"
    assert "spoilt" in newest["reason"]
    assert newest["bytes"] == len(encode_event(scan("bad 2")))
    assert newest["received_at"].endswith("Z")
    assert (lines[2]["site"], lines[2]["stream"]) == (None, None)
    pages = store.command("list", "--limit", 3), store.command("list", "--after", ids[1])
    assert [line["id"] for page in pages for line in page] == ids[::-1]
    assert [line["id"] for line in store.command("list", "--stage", "decode")] == ids[1::-1]
    assert store.command("list", "--since", "2999-01-01T00:00:00Z") == []
    assert len(store.command("list", "--since", "2000-01-01")) == 4


def test_a_letter_is_shown_with_its_payload_and_whether_it_can_be_read_now(
    store: Store, tmp_path: Path
) -> None:
    store.take_in(b"\x00\xff no batch", zlib.compress(b'{"v":1}'))
    store.take_in(batch(0, scan("x"))[:-2] + b',{"kind":"smell"}]}')
    binary, deflated, smell, readable = store.refuse(scan("bad"), first=5)
    (shown,) = store.command("show", binary)
    assert (shown["payload"], shown["encoding"]) == (b"\x00\xff no batch".hex(), "hex")
    assert shown["would_retry"] is False
    (shown,) = store.command("show", deflated, "--save", tmp_path / "payload")
    assert (shown["payload"], shown["encoding"]) == ('{"v":1}', "deflated")
    assert (tmp_path / "payload").read_bytes() == b'{"v":1}'
    (shown,) = store.command("show", smell)
    assert (shown["payload"], shown["offset"]) == ('{"kind":"smell"}', 1)
    assert "smell" in shown["why_not"]
    (shown,) = store.command("show", readable)
    assert msgspec.json.decode(shown["payload"])["data"] == "bad"
    assert shown["would_retry"] is True
    assert store.command("show", readable + 1, status=2) == []


def test_once_the_cause_is_mended_a_retry_stores_the_reading_under_its_own_name(
    store: Store,
) -> None:
    (letter,) = store.refuse(scan("good"), pallet())
    (line,) = store.command("retry", letter, status=1)
    assert line["result"] == "refused"
    assert "spoilt" in line["reason"]
    ((times, stage),) = store.ask("SELECT times, stage FROM dead_letter")
    assert (times, stage) == (2, "keep_readings")
    store.mend()
    assert store.command("retry", "--all") == [{"id": letter, "result": "stored"}]
    assert store.letters() == []
    assert store.stored() == [(0, "good"), (1, SPOILT)]
    # The pallet that the reading told of is in stock, and a gateway's late repeat adds nothing.
    store.take_in(batch(0, scan("good"), pallet()))
    on_hand = store.ask(f"SELECT on_hand FROM stock_position WHERE lpn = '{INBOUND[0]}'")
    assert on_hand == [(40,)]
    assert len(store.stored()) == 2
    assert verify_ledger(store.url)[1] == []
    assert store.command("retry", letter)[0]["result"] == "gone"


def test_one_that_is_refused_again_holds_up_no_other(store: Store) -> None:
    events = [scan(f"bad {number}") for number in range(250)]
    letters = store.refuse(*events)
    assert len(letters) == 250
    store.mend()
    store.run("ALTER TABLE barcode_reading ADD CHECK (data <> 'bad 7')")
    store.run("UPDATE dead_letter SET stage = 'elsewhere' WHERE stream_offset > 240")
    lines = store.command("retry", "--all", "--stage", "keep_readings", status=1)
    assert len(lines) == 241
    assert [line["id"] for line in lines if line["result"] == "refused"] == [letters[7]]
    assert len(store.letters()) == 10
    assert len(store.stored()) == 240


def test_two_who_retry_at_once_store_each_reading_once(store: Store) -> None:
    letters = store.refuse(*[scan(f"bad {number}") for number in range(150)])
    store.mend()
    with psycopg.connect(store.url) as blocker:
        blocker.execute("LOCK TABLE barcode_reading IN SHARE MODE")
        first = store.start("retry", "--all")
        wait_until(store.waiting_for_lock, "the first holds its letters", within_s=30)
        second = finish(store.start("retry", *letters[:100]))
    assert {line["result"] for line in second} == {"gone"}
    assert {line["result"] for line in finish(first)} == {"stored"}
    both = [store.start("retry", "--all") for _ in range(2)]
    assert [finish(one) for one in both] == [[], []]
    assert [offset for offset, _ in store.stored()] == list(range(150))


@pytest.mark.parametrize("killed", ["process", "backend"])
def test_a_retry_killed_in_the_middle_loses_nothing_and_the_next_one_stores_it_once(
    store: Store, killed: str
) -> None:
    (letter,) = store.refuse(pallet())
    store.mend()
    with psycopg.connect(store.url) as blocker:
        blocker.execute("LOCK TABLE stock_position IN SHARE MODE")
        retry = store.start("retry", letter)
        wait_until(store.waiting_for_lock, "it is in the middle", within_s=30)
        ((pid,),) = store.waiting_for_lock()
        if killed == "process":
            retry.kill()
            retry.communicate()
        store.ask(f"SELECT pg_terminate_backend({pid}, 5000)")
        if killed == "backend":
            assert finish(retry, status=2) == []
    assert store.letters() == [letter]
    assert store.stored() == []
    assert results(store.command("retry", letter)) == [(letter, "stored")]
    assert store.stored() == [(0, SPOILT)]
    assert verify_ledger(store.url)[1] == []


def test_a_retry_in_the_way_of_ingest_gives_way_and_begins_anew(store: Store) -> None:
    (letter,) = store.refuse(pallet())
    store.mend()
    with psycopg.connect(store.url) as ingest:
        ingest.execute("SET deadlock_timeout = '60s'")
        ingest.execute("LOCK TABLE stock_position IN SHARE MODE")
        retry = store.start("retry", letter)
        wait_until(store.waiting_for_lock, "it holds its plate and waits", within_s=30)
        ingest.execute("INSERT INTO lpn (lpn) VALUES ('106901234000000014') ON CONFLICT DO NOTHING")
    output, errors = retry.communicate(timeout=60)
    assert "dead_letter_retry_collided" in errors
    assert msgspec.json.decode(output) == {"id": letter, "result": "stored"}
    assert store.stored() == [(0, SPOILT)]


def test_a_message_that_nobody_could_read_goes_in_as_a_person_corrected_it(
    store: Store, tmp_path: Path
) -> None:
    good = batch(0, scan("A"), scan("B"), scan("C"))
    store.take_in(batch(1, scan("B")), good[:-1])
    (letter,) = store.letters()
    assert results(store.command("retry", letter, status=1)) == [(letter, "refused")]
    file = tmp_path / "corrected"
    file.write_bytes(b"still no batch")
    (line,) = store.command("retry", letter, "--edit", file, status=1)
    assert line["result"] == "refused"
    ((payload, times),) = store.ask("SELECT payload, times FROM dead_letter")
    assert (bytes(payload), times) == (good[:-1], 3)
    file.write_bytes(good)
    (line,) = store.command("retry", letter, "--edit", file, "--by", "ann")
    assert line["result"] == "stored"
    assert "1 of its 3 events were in the store already" in line["reason"]
    store.take_in(good)
    assert store.stored() == [(0, "A"), (1, "B"), (2, "C")]
    assert store.letters() == []
    # What came is kept beside what was made of it, and can't come in a second time.
    (kept,) = store.command("list", "--dropped")
    assert (kept["id"], kept["by"], kept["restorable"]) == (letter, "ann", False)
    ((before, after),) = store.ask("SELECT payload, corrected_payload FROM dead_letter_dropped")
    assert (bytes(before), bytes(after)) == (good[:-1], good)
    assert results(store.command("restore", letter, status=1)) == [(letter, "refused")]


def test_a_message_comes_in_by_retry_once_this_version_can_read_it(store: Store) -> None:
    store.put_aside(batch(7, scan("A"), scan("has\0zero")), TOPIC)
    ((letter,),) = store.ask("SELECT dead_letter_id FROM dead_letter")
    assert store.command("show", letter)[0]["would_retry"] is True
    (line,) = finish(store.start("retry", letter), status=1)
    assert line["result"] == "stored"
    assert line["reason"] == "1 of its 2 events are dead letters of their own now"
    assert store.stored() == [(7, "A")]
    (event,) = store.command("list")
    assert (event["offset"], event["stream"]) == (8, str(STREAM))


def test_nobody_gets_into_the_stream_of_another_gateway_by_retry(store: Store) -> None:
    store.take_in(batch(0, scan("A")))
    thief = gateway_topic("hgh", "gw-thief", "events")
    store.take_in(batch(1, scan("B"), scan("C")), topic=thief)
    store.put_aside(batch(1, scan("B")), thief)
    owner, whole = store.letters()
    lines = store.command("retry", "--all", status=1)
    assert results(lines) == [(owner, "refused"), (whole, "refused")]
    for line in lines:
        assert f"belongs to {'/'.join(OWNER)}" in line["reason"]
    assert f"belongs to {'/'.join(OWNER)}" in store.command("show", whole)[0]["why_not"]
    assert store.stored() == [(0, "A")]


def test_what_is_dropped_can_be_brought_back_whole(store: Store) -> None:
    store.take_in(b"junk")
    junk, first, second = store.refuse(scan("bad 1"), scan("bad 2"))
    before = store.ask("SELECT * FROM dead_letter ORDER BY 1")
    lines = store.command("drop", first, 99, "--reason", "a test label", "--by", "ann")
    assert results(lines) == [(first, "dropped"), (99, "gone")]
    lines = store.command("drop", "--all", "--stage", "decode", "--reason", "noise")
    assert results(lines) == [(junk, "dropped")]
    assert store.letters() == [second]
    dropped = store.command("list", "--dropped")
    assert [line["id"] for line in dropped] == [first, junk]
    assert (dropped[0]["by"], dropped[0]["because"]) == ("ann", "a test label")
    assert dropped[1]["by"]
    store.take_in(b"junk")
    again = store.letters()[-1]
    restored = store.command("restore", first, junk, 99)
    assert results(restored) == [(first, "restored"), (junk, "restored"), (99, "gone")]
    assert f"dead letter {again}" in restored[1]["reason"]
    assert store.ask("SELECT * FROM dead_letter ORDER BY 1")[:2] == before[1:]
    assert store.ask(f"SELECT times FROM dead_letter WHERE dead_letter_id = {again}") == [(2,)]
    assert store.command("list", "--dropped") == []
    store.mend()
    assert results(store.command("retry", first, second)) == [(first, "stored"), (second, "stored")]


@pytest.mark.parametrize(
    "arguments",
    [
        ("retry",),
        ("retry", "1", "--all"),
        ("retry", "1", "--stage", "decode"),
        ("retry", "1", "2", "--edit", "x"),
        ("retry", "1", "--edit", "there-is-no-such-file"),
        ("drop", "1"),
        ("drop", "1", "--reason", " "),
        ("drop", "--all", "--reason", "everything"),
        ("list", "--since", "yesterday"),
        ("list", "--limit", "0"),
        ("show", "-1"),
        ("show", str(2**63)),
        ("restore",),
    ],
)
def test_unusable_arguments_change_nothing(
    plain_database_url: str, arguments: tuple[str, ...]
) -> None:
    store = Store(plain_database_url)
    store.take_in(b"junk")
    assert store.command(*arguments, status=2) == []
    assert store.letters() == [1]


def test_the_alert_stays_open_until_the_last_letter_is_dealt_with(store: Store) -> None:
    def look() -> AlertEntity | None:
        done = subprocess.run(
            [WAYSTOCK, "worker", "--once"], env=store.environment(), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        with connect(store.url, "test") as database:
            found = [
                one
                for one in load_entities(database, "alerts", None)
                if isinstance(one, AlertEntity) and one.type == "system.dead_letters"
            ]
        return found[0] if found else None

    assert look() is None
    store.take_in(b"junk")
    store.run("UPDATE dead_letter SET received_at = now() - interval '2 days'")
    opened = look()
    assert opened is not None
    assert (opened.state, opened.subject, opened.figures["count"]) == ("open", "dead-letters", 1)
    junk, first, second = store.refuse(scan("bad 1"), scan("bad 2"))
    grown = look()
    assert grown is not None
    assert grown.key == opened.key
    assert grown.version > opened.version
    assert grown.text["en"].startswith("3 messages or readings could not be taken in")
    assert "sha/gw-dock" in grown.text["en"]
    assert "spoilt" in grown.text["en"]
    for language in ("en", "zh"):
        assert "waystock dead-letter retry --all" in grown.text[language]
    store.mend()
    store.command("retry", first, second)
    store.command("drop", junk, "--reason", "noise")
    look()
    states = store.ask(
        "SELECT alert_id, cleared_at IS NULL FROM alert WHERE type = 'system.dead_letters'"
    )
    assert states == [(opened.key, False)]
