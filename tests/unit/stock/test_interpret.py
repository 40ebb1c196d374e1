"""What a scan means: a wrong reading of intent books goods where they are not."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from waystock.stock.interpret import (
    CONTEXT,
    AnnouncedPallet,
    Appointment,
    Directory,
    Operation,
    Scan,
    ShipmentPlan,
    interpret,
    is_settled,
)

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SSCC, OUT = "106141412345678908", "206141412345678907"
GTIN = "09501101530003"
DIRECTORY = Directory(
    location_by_gln={("6901234567892", "A-01"): "sha/a-01", ("6901234567892", "A-02"): "sha/a-02"},
    site_by_location={"sha/a-01": "sha", "sha/a-02": "sha", "sha/dock-1": "sha"},
    asn_by_sscc={SSCC: AnnouncedPallet("PO-7", GTIN, "L7", 40)},
    supplier_by_purchase_order={"PO-7": "acme"},
    lot_tracked={GTIN: True, "09501101530010": False},
    appointments_by_door={
        "sha/door-2": [Appointment(START, START + timedelta(hours=1), "SH-1", "t01")]
    },
    plan_by_lpn={OUT: ShipmentPlan("SH-1", "t01", "c1")},
)


def scan(second: float, step: str, read_point: str | None = None, **elements: str) -> Scan:
    at = START + timedelta(seconds=second)
    pairs = tuple((ai.removeprefix("ai"), value) for ai, value in elements.items())
    return Scan(1, int(second * 10), "d", at, at, step, read_point, "t01", str(pairs), pairs)


def bin_label(second: float, step: str, name: str = "A-01") -> Scan:
    return scan(second, step, ai414="6901234567892", ai254=name)


def only(operations: list[Operation]) -> Operation:
    (operation,) = operations
    return operation


def test_a_label_that_names_its_contents_is_believed_over_the_announcement() -> None:
    label = scan(0, "receiving", "sha/dock-1", ai00=SSCC, ai02=GTIN, ai37="12", ai10="LX")
    received = only(interpret([label], DIRECTORY))
    assert (received.kind, received.quantity, received.lot) == ("receive", 12, "LX")
    assert (received.from_location, received.to_location) == ("supplier/acme", "sha/dock-1")


def test_a_bare_pallet_number_is_received_as_announced() -> None:
    received = only(interpret([scan(0, "receiving", "sha/dock-1", ai00=SSCC)], DIRECTORY))
    assert (received.document, received.gtin, received.quantity) == ("PO-7", GTIN, 40)


def test_an_unknown_pallet_is_told_with_the_reason_and_books_nothing() -> None:
    told = only(interpret([scan(0, "receiving", "sha/dock-1", ai00=OUT)], DIRECTORY))
    assert (told.kind, told.quantity) == ("unexplained", 0)
    assert "not announced" in told.reason


def test_the_delivery_note_closes_its_own_receipt_only() -> None:
    closed = only(interpret([scan(0, "receiving", "sha/dock-1", ai400="PO-7")], DIRECTORY))
    assert (closed.kind, closed.document) == ("close_receipt", "PO-7")
    unknown = only(interpret([scan(0, "receiving", "sha/dock-1", ai400="PO-8")], DIRECTORY))
    assert unknown.kind == "unexplained"


def test_put_away_takes_the_pallet_scanned_before_the_bin() -> None:
    scans = [scan(0, "storing", ai00=SSCC), bin_label(20, "storing")]
    stored = only(interpret(scans, DIRECTORY))
    assert (stored.kind, stored.lpn, stored.to_location) == ("putaway", SSCC, "sha/a-01")


def test_a_bin_scanned_twice_does_not_store_the_pallet_twice() -> None:
    scans = [scan(0, "storing", ai00=SSCC), bin_label(20, "storing"), bin_label(25, "storing")]
    assert [one.kind for one in interpret(scans, DIRECTORY)] == ["putaway", "unexplained"]


def test_a_forgotten_pallet_is_no_context_after_ten_minutes() -> None:
    late = CONTEXT.total_seconds() + 1
    scans = [scan(0, "storing", ai00=SSCC), bin_label(late, "storing")]
    assert only(interpret(scans, DIRECTORY)).kind == "unexplained"


def test_each_item_scan_picks_one_and_a_case_label_its_count() -> None:
    scans = [
        bin_label(0, "picking"),
        scan(2, "picking", ai00=OUT),
        scan(4, "picking", ai01="09501101530010"),
        scan(6, "picking", ai01=GTIN, ai10="L7", ai30="6"),
        bin_label(8, "picking", "A-02"),
        scan(10, "picking", ai01="09501101530010"),
    ]
    picks = [(one.from_location, one.lot, one.quantity) for one in interpret(scans, DIRECTORY)]
    assert picks == [("sha/a-01", "", 1), ("sha/a-01", "L7", 6), ("sha/a-02", "", 1)]


def test_an_item_with_no_bin_before_it_is_told_not_guessed() -> None:
    told = only(interpret([scan(0, "picking", ai01=GTIN)], DIRECTORY))
    assert told.kind == "unexplained"
    assert "no bin" in told.reason


def test_a_portal_loads_onto_the_truck_that_has_the_door_now() -> None:
    loaded = only(interpret([scan(60, "loading", "sha/door-2", ai00=OUT)], DIRECTORY))
    assert (loaded.to_location, loaded.document) == ("vehicle/t01", "SH-1")
    too_late = only(interpret([scan(4000, "loading", "sha/door-2", ai00=OUT)], DIRECTORY))
    assert too_late.kind == "unexplained"


def test_tags_that_are_no_pallets_pass_a_portal_unnoticed() -> None:
    assert interpret([scan(0, "loading", "sha/door-2", ai8003="1")], DIRECTORY) == []


kinds = st.sampled_from(["pallet", "bin1", "bin2", "item", "junk"])


@given(
    st.lists(st.tuples(st.integers(0, 1500), kinds), max_size=14, unique_by=lambda pair: pair[0]),
    st.integers(0, 1500),
    st.sampled_from(["storing", "picking"]),
)
def test_reading_only_the_last_ten_minutes_again_means_the_same_as_the_whole_day(
    plan: list[tuple[int, str]], since_s: int, step: str
) -> None:
    made = {
        "pallet": lambda at: scan(at, step, ai00=OUT),
        "bin1": lambda at: bin_label(at, step),
        "bin2": lambda at: bin_label(at, step, "A-02"),
        "item": lambda at: scan(at, step, ai01=GTIN),
        "junk": lambda at: scan(at, step),
    }
    scans = [made[kind](at) for at, kind in sorted(plan)]
    since = START + timedelta(seconds=since_s)
    whole = [one for one in interpret(scans, DIRECTORY) if one.occurred_at >= since]
    tail = [one for one in scans if one.time >= since - CONTEXT]
    assert [one for one in interpret(tail, DIRECTORY) if one.occurred_at >= since] == whole


LABELS = st.sampled_from(
    [{"ai00": SSCC}, {"ai00": OUT}, {"ai01": GTIN}, {"ai01": "0"}, {"ai00": OUT, "ai414": "1"}]
    + [{"ai414": "6901234567892", "ai254": name} for name in ("A-01", "A-02", "nowhere")]
)


@given(st.sampled_from(["storing", "picking"]), st.lists(LABELS, max_size=12), st.data())
def test_what_is_settled_by_the_last_scans_no_earlier_one_can_change(
    step: str, labels: list[dict[str, str]], data: st.DataObject
) -> None:
    scans = [scan(second, step, **label) for second, label in enumerate(labels)]
    last = scans[data.draw(st.integers(0, len(scans))) :]
    following = [
        scan(100 + second, step, **label)
        for second, label in enumerate(data.draw(st.lists(LABELS, max_size=4)))
    ]
    if is_settled(last, DIRECTORY):
        whole = interpret([*scans, *following], DIRECTORY)
        part = interpret([*last, *following], DIRECTORY)
        since = START + timedelta(seconds=100)
        assert [one for one in whole if one.occurred_at >= since] == [
            one for one in part if one.occurred_at >= since
        ]


def test_a_pallet_and_a_bin_scanned_just_before_need_no_look_further_back() -> None:
    picker = [scan(1, "picking", ai00=OUT), bin_label(2, "picking")]
    assert is_settled(picker, DIRECTORY)
    assert not is_settled(picker[1:], DIRECTORY)
    assert is_settled([scan(1, "storing", ai00=SSCC)], DIRECTORY)
    assert not is_settled([bin_label(1, "storing", "nowhere")], DIRECTORY)
