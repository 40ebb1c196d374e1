"""Which predictions the store is asked about at all: too few, and the report of arrival times would
miss what was said; too many, and each commit of a large fleet would ask for nothing."""

import numpy as np

from waystock.fleet.records import Records
from waystock.fleet.rows import LEARNED, OUTLOOK, PACE
from waystock.store.predictions import CHANGE_S, EVERY_S, ToldArrivals


def outlooks(
    fix_s: float, eta_s: float, model: int = PACE, seqs: tuple[int, ...] = (1, 2)
) -> Records:
    told = np.zeros(len(seqs), OUTLOOK)
    told["shipment"] = 7
    told["seq"] = seqs
    told["fix_us"] = round(fix_s * 1e6)
    told["eta_us"] = round(eta_s * 1e6)
    told["model"] = model
    return told


def news(told: ToldArrivals, *asked: Records) -> list[list[bool]]:
    return [told.is_news(one).tolist() for one in asked]


def test_what_was_said_lately_and_has_hardly_changed_is_no_news() -> None:
    told = ToldArrivals()
    first = outlooks(0, 600)
    assert news(told, first) == [[True, True]]
    told.note(first)
    assert news(told, outlooks(10, 600), outlooks(10, 600 + CHANGE_S - 1)) == [[False, False]] * 2


def test_a_change_another_model_a_while_and_another_stop_are_news() -> None:
    told = ToldArrivals()
    told.note(outlooks(0, 600))
    assert news(
        told,
        outlooks(10, 600 + CHANGE_S),
        outlooks(10, 600, LEARNED),
        outlooks(EVERY_S, 600),
        outlooks(10, 600, seqs=(2, 3)),
    ) == [[True, True]] * 3 + [[False, True]]


def test_a_change_far_away_counts_by_its_share_of_the_time_left() -> None:
    told = ToldArrivals()
    told.note(outlooks(0, 36_000))
    assert news(told, outlooks(10, 36_000 + 10 * CHANGE_S)) == [[False, False]]
    assert news(told, outlooks(10, 36_000 + 40 * CHANGE_S)) == [[True, True]]


def test_many_stops_are_told_apart_however_they_come() -> None:
    told = ToldArrivals()
    for seq in range(50):
        told.note(outlooks(0, 600 + 1_000 * seq, seqs=(seq,)))
    for seq in reversed(range(50)):
        same = outlooks(1, 600 + 1_000 * seq, seqs=(seq,))
        assert news(told, same) == [[False]]
