"""A portal's session: what is told, what is kept over a restart, and what is told nobody."""

from datetime import UTC, datetime, timedelta

import pytest

from waystock.contract.events import Rfid, Telemetry
from waystock_gateway.clock import Moment
from waystock_gateway.readings import InputChange, TagRead
from waystock_gateway.sessions.furniture import FURNITURE_KEY, read_learned
from waystock_gateway.sessions.presence import PresenceSession
from waystock_gateway.sessions.presence_settings import (
    PortalSettings,
    PresenceSettings,
    presence_problems,
)
from waystock_gateway.sessions.session import Outcome

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
TAG, WALL = "3114257BF7194E4000001A85", "E28011700000020F"
PORTAL = PresenceSettings(
    rssi_dbm_min=-75, portal=PortalSettings(inner=(1,), outer=(2,), stationary_after_s=60)
)


def moment(seconds: float) -> Moment:
    return Moment(START + timedelta(seconds=seconds), 1000.0 + seconds)


class Door:
    """Plays the intake: time goes on by itself, and what is to be kept is kept."""

    def __init__(self, settings: PresenceSettings = PORTAL) -> None:
        self.settings = settings
        self.state: dict[str, bytes] = {}
        self.outcome = Outcome("door")
        self.at_s = 0.0
        self.session = PresenceSession("door", {}, moment(0), settings)

    def restart(self, settings: PresenceSettings | None = None) -> None:
        self.settings = settings or self.settings
        self.session = PresenceSession("door", dict(self.state), moment(self.at_s), self.settings)

    def read(self, antennas: str, epc: str = TAG, rssi_dbm: float | None = -50.0) -> None:
        """A tenth of a second each; `.` is silence."""
        for antenna in antennas:
            self.wait(0.1)
            if antenna != ".":
                reading = TagRead(epc=epc, rssi_dbm=rssi_dbm, antenna=int(antenna))
                self.session.take(reading, moment(self.at_s), self.outcome)
                self._keep()

    def eye(self, pin: int, is_high: bool) -> None:
        change = InputChange(pin=pin, is_high=is_high)
        self.session.take(change, moment(self.at_s), self.outcome)

    def wait(self, seconds: float) -> None:
        self.at_s += seconds
        while (due_s := self.session.due_mono_s()) is not None and due_s <= 1000.0 + self.at_s:
            self.session.tick(moment(due_s - 1000.0), self.outcome)
        self._keep()

    def _keep(self) -> None:
        for key in self.outcome.delete:
            self.state.pop(key, None)
        self.state |= self.outcome.put
        self.outcome.put.clear()
        self.outcome.delete.clear()

    @property
    def told(self) -> list[Rfid]:
        return [event for event in self.outcome.events if isinstance(event, Rfid)]

    @property
    def shown(self) -> list[tuple[str, str | None, bool]]:
        return [(one.presence, one.direction, one.sighting) for one in self.told]


def test_an_arrival_at_a_portal_moves_nothing_and_the_direction_follows_with_the_departure() -> (
    None
):
    door = Door()
    door.read("111112121222222")
    assert door.shown == [("arrived", None, True)]
    door.wait(5)
    assert door.shown[1:] == [("departed", "out", False)]
    departed = door.told[-1]
    assert departed.evidence is not None
    assert departed.evidence.reads_outer == 8
    assert departed.time == moment(1.5).at


def test_who_turns_back_at_the_sill_is_seen_and_not_moved() -> None:
    door = Door()
    door.read("11111112112211111111")
    door.wait(5)
    assert door.shown[1:] == [("departed", None, True)]


def test_a_pallet_in_the_truck_s_tail_is_through_although_it_is_still_heard() -> None:
    door = Door()
    door.read("1111122222" + "2" * 40)
    assert door.shown == [("arrived", None, True), ("read", "out", False)]
    door.wait(10)
    assert door.shown[2:] == [("departed", None, True)]


def test_one_that_comes_back_after_it_was_told_is_told_again() -> None:
    door = Door()
    door.read("1111122222" + "2" * 40 + "22111111111111")
    door.wait(10)
    assert [one.direction for one in door.told if one.direction] == ["out", "in"]


def test_a_gateway_that_was_restarted_in_between_does_not_guess() -> None:
    door = Door()
    door.read("1111")
    door.restart()
    door.read("2222222222")
    door.wait(10)
    assert door.shown[1:] == [("departed", "unknown", False)]
    evidence = door.told[-1].evidence
    assert evidence is not None
    assert evidence.reason == "restarted"


def test_what_was_told_before_a_restart_is_not_asked_after_it() -> None:
    door = Door()
    door.read("1111122222" + "2" * 40)
    door.restart()
    door.read("2222222222")
    door.wait(10)
    assert door.shown[2:] == [("departed", None, True)]


def test_a_tag_that_is_only_heard_from_afar_was_never_there() -> None:
    near = PortalSettings(inner=(1,), outer=(2,), near_dbm_min=-55)
    door = Door(PresenceSettings(arrive_reads=2, portal=near))
    door.read("111222", rssi_dbm=-60)
    door.wait(10)
    assert door.told == []
    assert door.outcome.drops["far"] == 6


def test_furniture_is_told_once_and_then_counted_and_may_leave_as_a_question() -> None:
    door = Door()
    door.read("1" * 700, WALL)
    stationary = [one for one in door.told if one.stationary]
    assert [(one.epc, one.sighting) for one in stationary] == [(WALL, True)]
    assert door.outcome.drops["stationary"] > 50
    assert list(door.state) == [FURNITURE_KEY + WALL]
    assert read_learned(door.state[FURNITURE_KEY + WALL]) == stationary[0].captured_at
    door.restart()
    before = len(door.told)
    door.read("1" * 20, WALL)
    assert len(door.told) == before
    door.wait(61)
    assert door.shown[before:] == [("departed", "unknown", False)]
    assert door.state == {}


def test_a_pallet_that_crossed_before_it_is_taken_for_furniture_is_told_first() -> None:
    slow = PortalSettings(inner=(1,), outer=(2,), stationary_after_s=60, settle_s=600)
    door = Door(PresenceSettings(portal=slow))
    door.read("11111" + "2" * 700)
    assert [(one.direction, one.stationary) for one in door.told[1:]] == [
        ("out", False),
        (None, True),
    ]


def test_what_was_learned_is_undone_by_the_settings() -> None:
    door = Door()
    door.read("1" * 700, WALL)
    door.restart(PresenceSettings(not_stationary=(WALL.lower(),), portal=PORTAL.portal))
    door.read("1" * 700, WALL)
    assert FURNITURE_KEY + WALL not in door.state
    assert sum(one.stationary for one in door.told) == 1
    assert door.told[-1].presence == "arrived"


def test_tags_of_the_settings_are_furniture_from_the_start_at_any_reader() -> None:
    door = Door(PresenceSettings(stationary=(WALL.lower(),)))
    door.read("1111", WALL)
    door.wait(10)
    assert (door.told, door.outcome.drops["stationary"]) == ([], 4)


def test_without_a_portal_nothing_is_learned_and_arrivals_count_as_before() -> None:
    door = Door(PresenceSettings())
    door.read("1" * 10_000)
    door.wait(11)
    assert door.shown == [("arrived", None, False), ("departed", None, False)]


def test_single_reads_on_request_are_marked_and_bounded_and_thinning_is_counted() -> None:
    door = Door(PresenceSettings(raw_reads_per_s_max=4, rssi_dbm_min=-60))
    door.read("1" * 100, rssi_dbm=-65)
    raw = door.told
    assert 40 <= len(raw) <= 44
    assert {(one.presence, one.sighting, one.reads, one.rssi_dbm) for one in raw} == {
        ("read", True, 1, -65.0)
    }
    assert door.outcome.drops == {"raw_thinned": 100 - len(raw), "weak": 100}


def test_photo_eyes_tell_the_direction_and_are_kept_on_request() -> None:
    eyes = PortalSettings(inner=(1,), outer=(2,), eye_inner=1, eye_outer=2)
    door = Door(PresenceSettings(raw_reads_per_s_max=1000, portal=eyes))
    door.read("1212")
    for pin, is_high in ((1, True), (2, True), (1, False), (2, False)):
        door.read("1212")
        door.eye(pin, is_high)
    door.eye(7, is_high=True)
    door.wait(10)
    assert door.shown[-1] == ("departed", "out", False)
    kept = [one for one in door.outcome.events if isinstance(one, Telemetry)]
    assert [one.values for one in kept][:2] == [{"input_1": 1.0}, {"input_2": 1.0}]
    assert door.outcome.drops["other_input"] == 1


def test_reads_of_one_message_keep_the_order_of_the_reader_s_clock() -> None:
    door = Door()
    for number, antenna in enumerate([1] * 8 + [2] * 8):
        reading = TagRead(epc=TAG, rssi_dbm=-50.0, antenna=antenna, reader_s=5e9 + number / 10)
        door.session.take(reading, moment(2.0), door.outcome)
    door.at_s = 2.0
    door.wait(10)
    evidence = door.told[-1].evidence
    assert evidence is not None
    assert (door.told[-1].direction, evidence.duration_s, evidence.first_lag_s) == ("out", 1.5, 0.8)


@pytest.mark.parametrize(
    ("portal", "said"),
    [
        (PortalSettings(inner=(1, 2), outer=(2,)), "antenna 2 is in inner and outer"),
        (PortalSettings(inner=(1,)), "both sides"),
        (PortalSettings(eye_inner=1), "belong together"),
        (PortalSettings(eye_inner=1, eye_outer=1), "both input 1"),
    ],
)
def test_a_portal_that_can_t_be_is_refused_with_what_is_wrong(
    portal: PortalSettings, said: str
) -> None:
    (problem,) = presence_problems(PresenceSettings(portal=portal))
    assert said in problem
