"""Which way a tag went: what is clear is told, what is not is never guessed."""

import pytest

from waystock_gateway.sessions.direction import Passing, Verdict, decide
from waystock_gateway.sessions.photo_eyes import Crossing, PhotoEyes
from waystock_gateway.sessions.presence_settings import PortalSettings

ANTENNAS = PortalSettings(inner=(1,), outer=(2,))
THREE = PortalSettings(inner=(1, 3), outer=(2,))
EYES = PortalSettings(eye_inner=1, eye_outer=2)
BOTH = PortalSettings(inner=(1,), outer=(2,), eye_inner=1, eye_outer=2)
OUT = [Crossing(0.0, 2.0, "out")]
IN = [Crossing(0.0, 2.0, "in")]
NEAR, FAR = -50.0, -65.0


def passing(pattern: str, portal: PortalSettings = ANTENNAS, *, partial: bool = False) -> Passing:
    """`I` is a strong read on the inner side, `i` a weak one; `O`, `o` likewise."""
    made = Passing(is_partial=partial)
    for number, read in enumerate(pattern):
        antenna = 1 if read in "iI" else 2
        made.hear(number * 0.1, antenna, NEAR if read.isupper() else FAR, portal)
    return made


def told(
    pattern: str, portal: PortalSettings = ANTENNAS, eyes: list[Crossing] | None = None
) -> Verdict:
    return decide(passing(pattern, portal), portal, eyes or [])


def test_from_one_side_to_the_other_is_through() -> None:
    out = told("IoIIoIIOIOiOOiOO")
    assert (out.direction, out.evidence.method) == ("out", "antennas")
    assert told("OOiOOiOIOIIoIIoI").direction == "in"


def test_the_numbers_behind_it_are_told() -> None:
    evidence = told("IIIIIIoOOOOOO").evidence
    assert (evidence.reads_inner, evidence.reads_outer) == (6, 7)
    assert (evidence.peak_inner_dbm, evidence.peak_outer_dbm) == (NEAR, NEAR)
    assert (evidence.first_lag_s, evidence.peak_lag_s) == (0.6, 0.7)
    assert (evidence.lean_begin, evidence.lean_end) == (1.0, -1.0)
    assert evidence.duration_s == 1.2


@pytest.mark.parametrize("pattern", ["IIIIIIII", "IoIIoIIoIIoI", "IIIIOOOOOIIIIIIIII", "OOOOOOOO"])
def test_who_comes_and_goes_on_one_side_went_through_nowhere_and_nobody_is_asked(
    pattern: str,
) -> None:
    verdict = told(pattern)
    assert (verdict.direction, verdict.evidence.reason) == (None, "stayed")


@pytest.mark.parametrize(
    ("pattern", "reason"), [("IIOO", "too_few_reads"), ("IOIOIOIOIOIO", "unclear")]
)
def test_what_is_not_clear_is_for_a_person(pattern: str, reason: str) -> None:
    verdict = told(pattern)
    assert (verdict.direction, verdict.evidence.reason) == ("unknown", reason)


def test_a_passing_whose_beginning_was_not_heard_is_not_guessed() -> None:
    verdict = decide(passing("IIIIIIOOOOOO", partial=True), ANTENNAS, [])
    assert (verdict.direction, verdict.evidence.reason) == ("unknown", "restarted")


def test_two_antennas_on_one_side_don_t_outvote_the_one_on_the_other() -> None:
    made = Passing()
    for number in range(24):
        for antenna in (1, 3, 2):
            made.hear(number * 0.1, antenna, NEAR, THREE)
    assert decide(made, THREE, []).evidence.reason == "unclear"


def test_a_fork_lift_that_is_quick_and_then_waits_in_the_truck_is_through() -> None:
    assert told("IIII" + "O" * 60).direction == "out"


def test_a_reader_without_signal_strength_counts_reads() -> None:
    made = Passing()
    for number, antenna in enumerate([1] * 8 + [2] * 8):
        made.hear(number * 0.1, antenna, None, ANTENNAS)
    assert decide(made, ANTENNAS, []).direction == "out"


def test_photo_eyes_decide_where_antennas_hear_both_sides_alike() -> None:
    assert told("IOIOIOIOIOIO", BOTH, IN).direction == "in"
    made = Passing()
    for number in range(8):
        made.hear(number * 0.1, None, NEAR, EYES)
    assert decide(made, EYES, OUT).direction == "out"


@pytest.mark.parametrize(
    ("pattern", "eyes", "direction", "reason"),
    [
        ("IIIIIIOOOOOO", IN, "unknown", "eyes_disagree"),
        ("IIIIIIOOOOOO", [], "unknown", "eyes_saw_nothing"),
        ("IIIIIIIIIIII", OUT, None, "stayed"),
        ("IOIOIOIOIOIO", [], None, "stayed"),
        ("IOIOIOIOIOIO", [*IN, *OUT], "unknown", "unclear"),
        ("IIIIIIOOOOOO", [*IN, *OUT], "out", ""),
    ],
)
def test_eyes_see_that_something_went_through_and_antennas_which_tag(
    pattern: str, eyes: list[Crossing], direction: str | None, reason: str
) -> None:
    verdict = told(pattern, BOTH, eyes)
    assert (verdict.direction, verdict.evidence.reason) == (direction, reason)


def beams(changes: str) -> PhotoEyes:
    """`I` the inner beam is broken, `i` it is clear again; `O`, `o` likewise; a change each 0.3 s,
    ` ` a pause of 3 s."""
    eyes, at_s = PhotoEyes(EYES), 0.0
    for change in changes:
        at_s += 3.0 if change == " " else 0.3
        if change != " ":
            assert eyes.change(1 if change in "iI" else 2, change.isupper(), at_s)
    return eyes


def seen(changes: str) -> list[str]:
    return [one.direction for one in beams(changes).crossings(-1e9, 1e9)]


@pytest.mark.parametrize(
    ("changes", "directions"),
    [
        ("IOio", ["out"]),
        ("OIoi", ["in"]),
        ("IiOo", ["out"]),
        ("IiIOiIio" + "O" + "o", ["out"]),
        ("IOoi", []),
        ("Ii", []),
        ("IO", []),
        ("IOio OIoi", ["out", "in"]),
    ],
)
def test_a_vehicle_crosses_from_its_first_beam_to_its_last(
    changes: str, directions: list[str]
) -> None:
    assert seen(changes) == directions


def test_a_crossing_belongs_to_the_tags_that_were_heard_around_it() -> None:
    eyes = beams("IOio")
    assert eyes.crossings(0.0, 1.0)
    assert not eyes.crossings(10.0, 20.0)


def test_other_inputs_are_no_eyes_and_active_low_ones_are_understood() -> None:
    assert not PhotoEyes(EYES).change(3, True, 0.0)
    low = PhotoEyes(PortalSettings(eye_inner=1, eye_outer=2, eye_blocked="low"))
    for pin, is_high, at_s in ((1, False, 0.0), (2, False, 0.5), (1, True, 1.0), (2, True, 1.5)):
        low.change(pin, is_high, at_s)
    assert [one.direction for one in low.crossings(0.0, 2.0)] == ["out"]
