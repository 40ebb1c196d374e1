"""The ledger: goods may not appear, vanish or be in two places, whatever order scans come in."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from waystock.stock.interpret import Operation, OperationKind
from waystock.stock.ledger import Movement, fold_lpn, loose_movements, position_changes

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PALLET = "106141412345678908"


def operation(minute: int, kind: OperationKind, **fields: object) -> Operation:
    at = START + timedelta(minutes=minute)
    return Operation(
        stream_id=1,
        stream_offset=minute,
        occurred_at=at,
        captured_at=at,
        device="d",
        kind=kind,
        **fields,  # type: ignore[arg-type]
    )


def receive(minute: int, quantity: int = 48) -> Operation:
    return operation(
        minute,
        "receive",
        lpn=PALLET,
        gtin="g1",
        lot="L1",
        quantity=quantity,
        from_location="supplier/acme",
        to_location="sha/dock-1",
        document="PO-1",
    )


def pick(minute: int, gtin: str = "g1", quantity: int = 1) -> Operation:
    return operation(
        minute,
        "pick",
        lpn=PALLET,
        gtin=gtin,
        quantity=quantity,
        from_location="sha/a-01",
        to_location="sha/staging",
    )


def load(minute: int, vehicle: str = "t01") -> Operation:
    return operation(
        minute,
        "load",
        lpn=PALLET,
        from_location="sha/door-2",
        to_location=f"vehicle/{vehicle}",
    )


def balance(movements: list[Movement]) -> dict[tuple[str, str, str, str], int]:
    out: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for key, change in position_changes([], movements).items():
        out[key] += change
    return dict(out)


def test_a_pallet_goes_from_supplier_to_dock_to_bin() -> None:
    history = fold_lpn(
        PALLET,
        [receive(0), operation(5, "putaway", lpn=PALLET, to_location="sha/a-01")],
        None,
    )
    assert balance(list(history.movements)) == {
        ("supplier/acme", "g1", "L1", ""): -48,
        ("sha/a-01", "g1", "L1", ""): 48,
    }
    assert history.location == "sha/a-01"


def test_a_pallet_scanned_twice_at_the_dock_is_received_once() -> None:
    history = fold_lpn(PALLET, [receive(0), receive(1), receive(2)], None)
    assert sum(one.quantity for one in history.movements) == 48


def test_what_is_picked_goes_with_its_pallet_onto_the_truck() -> None:
    history = fold_lpn(PALLET, [pick(0), pick(1), pick(2, "g2", 5), load(3)], "t01")
    assert balance(list(history.movements)) == {
        ("sha/a-01", "g1", "", ""): -2,
        ("sha/a-01", "g2", "", ""): -5,
        ("vehicle/t01", "g1", "", PALLET): 2,
        ("vehicle/t01", "g2", "", PALLET): 5,
    }
    assert history.misloads == ()


def test_a_pallet_on_the_wrong_truck_is_told_until_it_is_seen_elsewhere() -> None:
    wrong = fold_lpn(PALLET, [pick(0), load(3, "t02")], "t01")
    assert [(one.loaded_on, one.cleared_at) for one in wrong.misloads] == [("t02", None)]
    mended = fold_lpn(PALLET, [pick(0), load(3, "t02"), load(9, "t01")], "t01")
    assert [one.cleared_at for one in mended.misloads] == [START + timedelta(minutes=9)]


def test_a_pallet_nobody_received_moves_nothing_until_its_receipt_turns_up() -> None:
    late = [operation(5, "putaway", lpn=PALLET, to_location="sha/a-01")]
    assert fold_lpn(PALLET, late, None).movements == ()
    assert len(fold_lpn(PALLET, [*late, receive(0)], None).movements) == 2


def test_reads_by_the_same_portal_again_move_nothing() -> None:
    history = fold_lpn(PALLET, [pick(0), load(3), load(4), load(8)], "t01")
    assert len([one for one in history.movements if one.biz_step == "loading"]) == 1


def test_opening_stock_in_a_bin_needs_no_pallet() -> None:
    opening = operation(
        0,
        "opening",
        gtin="g1",
        quantity=7,
        from_location="adjustment/opening",
        to_location="sha/a-01",
    )
    assert balance(loose_movements([opening])) == {
        ("adjustment/opening", "g1", "", ""): -7,
        ("sha/a-01", "g1", "", ""): 7,
    }


steps = st.sampled_from(["receive", "pick", "load1", "load2", "deliver", "putaway"])


def history_of(names: list[str]) -> list[Operation]:
    made = {
        "receive": receive,
        "pick": pick,
        "load1": load,
        "load2": lambda minute: load(minute, "t02"),
        "deliver": lambda minute: operation(
            minute, "deliver", lpn=PALLET, from_location="vehicle/t01", to_location="customer/c1"
        ),
        "putaway": lambda minute: operation(minute, "putaway", lpn=PALLET, to_location="sha/b-07"),
    }
    return [made[name](minute) for minute, name in enumerate(names)]


@given(st.lists(steps, max_size=12), st.randoms(use_true_random=False))
def test_any_history_in_any_order_moves_the_same_and_sums_to_zero(
    names: list[str], random: object
) -> None:
    operations = history_of(names)
    shuffled = list(operations)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ordered = fold_lpn(PALLET, operations, "t01")
    assert fold_lpn(PALLET, shuffled, "t01") == ordered
    assert sum(balance(list(ordered.movements)).values()) == 0
    assert len({one.key for one in ordered.movements}) == len(ordered.movements)


@given(st.lists(steps, max_size=12))
def test_a_pallet_is_in_one_place_only(names: list[str]) -> None:
    history = fold_lpn(PALLET, history_of(names), "t01")
    held = {key[0] for key, on_hand in balance(list(history.movements)).items()
            if key[3] == PALLET and on_hand}  # fmt: skip
    assert len(held) <= 1
    assert all(
        on_hand >= 0
        for key, on_hand in balance(list(history.movements)).items()
        if key[3] == PALLET
    )


@given(st.lists(steps, max_size=10), st.integers(0, 9))
def test_a_late_scan_changes_the_ledger_by_the_difference_only(names: list[str], late: int) -> None:
    operations = history_of(names)
    without = operations[:late] + operations[late + 1 :]
    before = set(fold_lpn(PALLET, without, "t01").movements)
    after = set(fold_lpn(PALLET, operations, "t01").movements)
    patched = balance(sorted(before))
    for key, change in position_changes(before - after, after - before).items():
        patched[key] = patched.get(key, 0) + change
    expected = balance(sorted(after))
    assert {k: v for k, v in patched.items() if v} == {k: v for k, v in expected.items() if v}
