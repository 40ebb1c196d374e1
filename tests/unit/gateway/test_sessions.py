"""Sessions: what a device's past makes of its readings. Time is moved by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from waystock.contract.events import Barcode, Event, Position, Rfid, Telemetry
from waystock_demo.nats import MAX_ACK_PENDING
from waystock_gateway.clock import Moment
from waystock_gateway.readings import Fix, Measurement, Scan, TagRead
from waystock_gateway.sessions.fixes import REDELIVERIES_MAX, FixSession, Place, Track, follow
from waystock_gateway.sessions.presence import PresenceSession
from waystock_gateway.sessions.presence_settings import PresenceSettings
from waystock_gateway.sessions.scans import PEERS_KEPT_MAX, ScanSession
from waystock_gateway.sessions.session import Outcome, Session

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
SGTIN = "3074257BF7194E4000001A85"


def moment(seconds: float, start: datetime = START) -> Moment:
    return Moment(start + timedelta(seconds=seconds), 1000.0 + seconds)


def scan(code: str, *, again: bool = False, peer: str = "") -> Scan:
    raw = code.encode()
    return Scan(aim="", format="text", data=code, raw=raw, retransmitted=again, peer=peer)


def fix(seconds: float, lat: float = 31.2, *, start: datetime = START) -> Fix:
    time = start + timedelta(seconds=seconds)
    return Fix(time=time, time_of_day=timedelta(seconds=seconds), lat=lat, lon=121.4)


class Kept:
    """Plays the outbox: feeds a session, keeps its state, and can start it afresh."""

    def __init__(self) -> None:
        self.state: dict[str, bytes] = {}
        self.outcome = Outcome("device")

    def take(
        self, session: Session, reading: Scan | TagRead | Fix | Measurement, at: Moment
    ) -> None:
        session.take(reading, at, self.outcome)
        self.commit()

    def tick(self, session: Session, at: Moment) -> None:
        session.tick(at, self.outcome)
        self.commit()

    def commit(self) -> None:
        for key in self.outcome.delete:
            self.state.pop(key, None)
        self.state.update(self.outcome.put)
        self.outcome.put.clear()
        self.outcome.delete.clear()

    def scans(self) -> list[str]:
        return [event.data for event in self.outcome.events if isinstance(event, Barcode)]

    def presences(self) -> list[tuple[str, str]]:
        return [(e.epc, e.presence) for e in self.outcome.events if isinstance(e, Rfid)]

    def qualities(self) -> list[tuple[str, ...]]:
        return [e.quality for e in self.outcome.events if isinstance(e, Position)]


def scan_session(kept: Kept, repeat_window_s: float = 0.5) -> ScanSession:
    return ScanSession("device", dict(kept.state), repeat_window_s)


def presence_session(kept: Kept, at: Moment, arrive_reads: int = 1) -> PresenceSession:
    settings = PresenceSettings(window="fixed", arrive_reads=arrive_reads, rssi_dbm_min=-80)
    return PresenceSession("device", dict(kept.state), at, settings)


def fix_session(kept: Kept, times_max: int = 1) -> FixSession:
    return FixSession("device", dict(kept.state), speed_mps_max=100, times_max=times_max)


def test_a_code_scanned_twice_on_purpose_counts_twice() -> None:
    kept = Kept()
    session = scan_session(kept)
    kept.take(session, scan("A"), moment(0))
    kept.take(session, scan("A"), moment(2))
    assert kept.scans() == ["A", "A"]


def test_a_double_read_within_the_window_is_one_reading() -> None:
    kept = Kept()
    session = scan_session(kept)
    for seconds in (0, 0.3, 0.6):
        kept.take(session, scan("A"), moment(seconds))
    assert kept.scans() == ["A"]
    assert kept.outcome.drops["repeat"] == 2


def test_another_code_in_between_is_no_double_read() -> None:
    kept = Kept()
    session = scan_session(kept)
    for code in ("A", "B", "A"):
        kept.take(session, scan(code), moment(0))
    assert kept.scans() == ["A", "B", "A"]


def test_a_retransmission_after_a_restart_is_not_stored_again() -> None:
    kept = Kept()
    kept.take(scan_session(kept), scan("A"), moment(0))
    kept.take(scan_session(kept), scan("A", again=True), moment(60))
    assert kept.scans() == ["A"]
    assert kept.outcome.drops["retransmission"] == 1


def test_a_retransmission_whose_first_copy_was_never_stored_is_stored() -> None:
    kept = Kept()
    kept.take(scan_session(kept), scan("A"), moment(0))
    kept.take(scan_session(kept), scan("B", again=True), moment(1))
    assert kept.scans() == ["A", "B"]


def test_the_same_code_from_two_scanners_that_are_one_device_is_two_readings() -> None:
    kept = Kept()
    session = scan_session(kept)
    for peer in ("10.0.0.1", "10.0.0.2", "10.0.0.1"):
        kept.take(session, scan("A", peer=peer), moment(0))
    assert kept.scans() == ["A", "A"]
    assert kept.outcome.drops["repeat"] == 1


def test_a_retransmission_is_known_though_another_scanner_of_the_device_spoke_since() -> None:
    kept = Kept()
    session = scan_session(kept)
    kept.take(session, scan("A", peer="10.0.0.1"), moment(0))
    kept.take(session, scan("B", peer="10.0.0.2"), moment(1))
    kept.take(scan_session(kept), scan("A", peer="10.0.0.1", again=True), moment(60))
    assert kept.scans() == ["A", "B"]


def test_scanners_that_come_and_go_fill_no_memory() -> None:
    kept = Kept()
    session = scan_session(kept)
    for n in range(PEERS_KEPT_MAX + 50):
        kept.take(session, scan("A", peer=f"10.0.{n // 250}.{n % 250}"), moment(n))
    assert len(kept.state) == PEERS_KEPT_MAX
    assert f"last_scan@10.0.{(PEERS_KEPT_MAX + 49) // 250}.{(PEERS_KEPT_MAX + 49) % 250}" in (
        kept.state
    )


def test_a_box_that_has_lost_the_time_says_so() -> None:
    kept = Kept()
    kept.take(scan_session(kept), scan("A"), moment(0, datetime(1970, 1, 2, tzinfo=UTC)))
    event = kept.outcome.events[0]
    assert (event.clock, event.quality) == ("unsynced", ("clock_unsynced",))


def test_a_tag_arrives_once_and_departs_once() -> None:
    kept = Kept()
    session = presence_session(kept, moment(0))
    for seconds in (0, 0.5, 2.9, 5):
        kept.tick(session, moment(seconds))
        kept.take(session, TagRead(epc=SGTIN, rssi_dbm=-60 + seconds), moment(seconds))
    kept.tick(session, moment(7.9))
    assert kept.presences() == [(SGTIN, "arrived")]
    kept.tick(session, moment(8))
    assert kept.presences() == [(SGTIN, "arrived"), (SGTIN, "departed")]
    assert kept.state == {}
    departed = kept.outcome.events[-1]
    assert isinstance(departed, Rfid)
    assert (departed.reads, departed.rssi_dbm, departed.time) == (4, -55, moment(5).at)
    assert departed.elements == (("01", "80614141123458"), ("21", "6789"))


def test_the_strongest_read_counts_even_at_the_very_antenna() -> None:
    kept = Kept()
    session = presence_session(kept, moment(0))
    for seconds, (rssi_dbm, antenna) in enumerate([(-40.0, 1), (0.0, 2), (None, 3)]):
        read = TagRead(epc=SGTIN, rssi_dbm=rssi_dbm, antenna=antenna)
        kept.take(session, read, moment(seconds))
    kept.tick(session, moment(9))
    departed = kept.outcome.events[-1]
    assert isinstance(departed, Rfid)
    assert (departed.rssi_dbm, departed.antenna) == (0.0, 2)


def test_a_restart_reports_no_second_arrival_and_notices_who_left() -> None:
    kept = Kept()
    session = presence_session(kept, moment(0))
    kept.take(session, TagRead(epc=SGTIN), moment(0))
    kept.take(session, TagRead(epc="E280"), moment(0))
    restarted = presence_session(kept, moment(10))
    kept.take(restarted, TagRead(epc=SGTIN), moment(11))
    kept.tick(restarted, moment(13.5))
    assert kept.presences()[2:] == [("E280", "departed")]


def test_a_stray_tag_heard_once_does_not_arrive_where_two_reads_are_asked_for() -> None:
    kept = Kept()
    session = presence_session(kept, moment(0), arrive_reads=2)
    kept.take(session, TagRead(epc=SGTIN), moment(0))
    kept.tick(session, moment(4))
    assert kept.presences() == []
    assert kept.outcome.drops["stray"] == 1


def test_a_tag_outside_the_portal_is_too_weak_to_arrive() -> None:
    kept = Kept()
    kept.take(presence_session(kept, moment(0)), TagRead(epc=SGTIN, rssi_dbm=-90), moment(0))
    assert kept.presences() == []
    assert kept.outcome.drops["weak"] == 1


def test_a_fix_delivered_again_after_a_restart_is_not_stored_again() -> None:
    kept = Kept()
    session = fix_session(kept, times_max=4)
    for seconds in range(3):
        kept.take(session, fix(seconds), moment(seconds))
    again = fix_session(kept, times_max=4)
    for seconds in range(4):
        kept.take(again, fix(seconds), moment(10 + seconds))
    assert len(kept.qualities()) == 4
    assert kept.outcome.drops["duplicate"] == 3


def test_all_that_a_broker_may_have_under_way_can_come_again_and_is_not_stored_twice() -> None:
    kept = Kept()
    session = fix_session(kept, times_max=REDELIVERIES_MAX)
    for seconds in range(MAX_ACK_PENDING):
        kept.take(session, fix(seconds), moment(seconds))
    again = fix_session(kept, times_max=REDELIVERIES_MAX)
    for seconds in range(MAX_ACK_PENDING):
        kept.take(again, fix(seconds), moment(MAX_ACK_PENDING + seconds))
    assert len(kept.qualities()) == MAX_ACK_PENDING


def test_the_memory_of_delivered_fixes_is_bounded() -> None:
    kept = Kept()
    session = fix_session(kept, times_max=4)
    for seconds in range(50):
        kept.take(session, fix(seconds), moment(seconds))
    assert len(kept.state) == 5


def test_a_teleport_is_marked_and_the_way_back_is_not() -> None:
    kept = Kept()
    session = fix_session(kept)
    for seconds, lat in ((0, 31.2), (1, 39.9), (2, 31.2001)):
        kept.take(session, fix(seconds, lat), moment(seconds))
    assert kept.qualities() == [(), ("teleport",), ()]


def test_a_truck_that_really_is_elsewhere_is_believed_at_its_second_fix() -> None:
    first, far = Place(START, 31.2, 121.4), Place(START + timedelta(seconds=1), 39.9, 116.4)
    later = Place(START + timedelta(seconds=2), 39.9001, 116.4)
    track, is_teleport = follow(Track(first), far, 100)
    assert is_teleport
    assert follow(track, later, 100) == (Track(later), False)


@pytest.mark.parametrize(
    ("start", "marks"),
    [
        (START - timedelta(weeks=1024), ("date_roll_over",)),
        (START - timedelta(weeks=2048), ("date_roll_over",)),
        (START + timedelta(weeks=1024), ("date_roll_over",)),
        (START + timedelta(days=1), ("future_time",)),
        (START - timedelta(days=30), ()),
    ],
)
def test_a_date_that_can_t_be_is_marked_and_kept(start: datetime, marks: tuple[str, ...]) -> None:
    kept = Kept()
    kept.take(fix_session(kept), fix(0, start=start), moment(0))
    (event,) = kept.outcome.events
    assert (event.time, event.quality) == (start, marks)


def test_an_undated_fix_gets_the_nearest_day_and_says_so() -> None:
    undated = Fix(time=None, time_of_day=timedelta(hours=23, minutes=59), lat=31.2, lon=121.4)
    kept = Kept()
    kept.take(fix_session(kept), undated, moment(0, datetime(2026, 11, 23, 0, 1, tzinfo=UTC)))
    (event,) = kept.outcome.events
    assert event.time == datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    assert event.quality == ("no_fix_date",)


def test_an_undated_fix_on_a_box_without_time_is_refused() -> None:
    undated = Fix(time=None, time_of_day=timedelta(hours=1), lat=31.2, lon=121.4)
    kept = Kept()
    kept.take(fix_session(kept), undated, moment(0, datetime(1970, 1, 1, tzinfo=UTC)))
    assert [reject.reason for reject in kept.outcome.rejects] == ["no_date"]


def test_a_sensor_without_a_clock_is_timed_by_the_gateway_and_says_if_that_is_unsure() -> None:
    kept = Kept()
    session = fix_session(kept)
    kept.take(session, Measurement(time=None, values={"door_open": 1.0}), moment(0))
    unset = moment(1, datetime(1970, 1, 1, tzinfo=UTC))
    kept.take(session, Measurement(time=None, values={"door_open": 0.0}), unset)
    opened, closed = kept.outcome.events
    assert (opened.time, opened.clock, opened.quality) == (moment(0).at, "ntp", ())
    assert (closed.clock, closed.quality) == ("unsynced", ("clock_unsynced",))


def test_two_sensors_of_one_device_may_speak_of_the_same_instant() -> None:
    kept = Kept()
    session = FixSession("truck-1", {}, speed_mps_max=100, times_max=8)
    for name in ("temperature_c", "humidity_ratio", "temperature_c"):
        kept.take(session, Measurement(time=START, values={name: 0.5}), moment(0))
    assert len(kept.outcome.events) == 2


def test_a_temperature_that_the_broker_delivers_twice_is_kept_once_beside_its_fix() -> None:
    cold = Measurement(time=START, values={"temperature_c": -18.5})
    state: dict[str, bytes] = {}
    events: list[Event] = []
    for _ in range(2):  # the gateway starts anew in between
        session = FixSession("truck-1", state, speed_mps_max=100, times_max=8)
        outcome = Outcome("truck-1")
        session.take(cold, moment(3), outcome)
        state |= outcome.put
        events += outcome.events
    assert [type(event) for event in events] == [Telemetry]
    assert events[0].time == START
