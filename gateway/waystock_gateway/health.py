"""What the gateway reports of itself: the retained status, and health events per device that
changed. Upstream: tally, outbox, intake. Downstream: `uplink` (status) and the outbox (health
events).
"""

from typing import Literal

import structlog

from waystock.contract.acks import Status
from waystock.contract.events import Health
from waystock_gateway import box
from waystock_gateway.clock import Clock, Moment
from waystock_gateway.intake import Intake, OwnEvents
from waystock_gateway.outbox import Outbox
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.sessions.session import gateway_clock
from waystock_gateway.tally import DeviceTally, Tally
from waystock_gateway.uplink import UplinkCounters

NEVER_S = -1.0

_log = structlog.get_logger(__name__)


class Reporter:
    """`status` for the uplink's thread, `health_events` for the main thread."""

    def __init__(
        self, gateway: str, clock: Clock, tally: Tally, outbox: Outbox, reader: OutboxReader
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._tally = tally
        self._outbox = outbox
        self._reader = reader
        self._started_mono_s = clock.now().mono_s
        self._silent_after_s: dict[str, float] = {}
        self._said_silent: set[str] = set()
        self._intake: Intake | None = None
        self._reported: dict[str, tuple[int, int, int, bool]] = {}

    def watch(self, intake: Intake, silent_after_s: dict[str, float]) -> None:
        """The intake to report of, and after how many seconds without a frame which device counts
        as silent. Called anew when the settings change."""
        self._intake = intake
        self._silent_after_s = silent_after_s

    def status(self) -> Status:
        """Online, with queue depth, rejects by reason and the age of each device's last frame."""
        now = self._clock.now()
        tallies = self._tally.snapshot()
        return Status(
            state="online",
            at=now.at,
            stream=self._outbox.stream,
            queue_depth=self._outbox.depth,
            oldest_unsent_s=self._oldest_s(now),
            rejects=_rejects_by_reason(tallies),
            devices={device: _silence_s(tally, now) for device, tally in tallies.items()},
            silent=tuple(sorted(self._silent(tallies, now))),
            shed=dict(self._outbox.counters.shed),
            clock=_clock_state(now),
            clock_ahead_of_gps_s=_clock_ahead_s(tallies),
            box_temperature_c=box.temperature_c(),
            trouble="; ".join(self._troubles()),
        )

    def readings_stored(self) -> int:
        """Events that devices led to, since the start."""
        return sum(tally.events for tally in self._tally.snapshot().values())

    def health_events(self, intake: Intake, uplink: UplinkCounters) -> list[OwnEvents]:
        """The gateway's own health, and that of each device whose counts changed or that fell
        silent or speaks again."""
        now = self._clock.now()
        tallies = self._tally.snapshot()
        silent = set(self._silent(tallies, now))
        self._say_silent(silent)
        reports = [self._gateway_health(now, intake, uplink, tallies)]
        for device, tally in tallies.items():
            is_silent = device in silent
            counts = (tally.events, tally.rejects.total(), tally.drops.total(), is_silent)
            if self._reported.get(device) != counts:
                self._reported[device] = counts
                values = _device_values(tally, now)
                state, message = ("degraded", "silent") if is_silent else ("ok", "")
                reports.append(OwnEvents(device, [_health(device, now, state, message, values)]))
        return reports

    def _say_silent(self, silent: set[str]) -> None:
        for device in sorted(silent - self._said_silent):
            _log.error("device_silent", device=device, silent_after_s=self._silent_after_s[device])
        for device in sorted(self._said_silent - silent):
            _log.warning("device_speaks_again", device=device)
        self._said_silent = silent

    def _gateway_health(
        self, now: Moment, intake: Intake, uplink: UplinkCounters, tallies: dict[str, DeviceTally]
    ) -> OwnEvents:
        counters = self._outbox.counters
        values = {
            "queue_depth": float(self._outbox.depth),
            "oldest_unsent_s": self._oldest_s(now),
            "events_stored_total": float(counters.events_stored),
            "events_shed_total": float(counters.events_shed),
            "batches_sent_total": float(uplink.batches_sent),
            "connections_total": float(uplink.connections),
            "rejects_total": float(sum(t.rejects.total() for t in tallies.values())),
            "drops_total": float(sum(t.drops.total() for t in tallies.values())),
            "held_readings": float(len(intake.state.held)),
            **_known("clock_ahead_of_gps_s", _clock_ahead_s(tallies)),
            **_known("box_temperature_c", box.temperature_c()),
            **{f"shed_{reason}_total": float(n) for reason, n in counters.shed.items()},
        }
        message = "; ".join(self._troubles())
        event = _health(self._gateway, now, "degraded" if message else "ok", message, values)
        return OwnEvents(self._gateway, [event])

    def _troubles(self) -> list[str]:
        troubles: list[str] = []
        if self._intake is not None and self._intake.state.disk_refuses:
            troubles.append("the outbox refuses: " + self._intake.state.reason)
        if self._outbox.kept_aside is not None:
            troubles.append(f"the outbox was damaged, kept as {self._outbox.kept_aside.name}")
        if self._outbox.counters.events_shed:
            troubles.append(f"{self._outbox.counters.events_shed} readings were given up")
        return troubles

    def _silent(self, tallies: dict[str, DeviceTally], now: Moment) -> list[str]:
        """Those that said nothing for longer than they may; before their first frame it counts
        from the start of the gateway."""
        return [
            device
            for device, silent_after_s in self._silent_after_s.items()
            if device in tallies
            and now.mono_s - (tallies[device].last_frame_mono_s or self._started_mono_s)
            > silent_after_s
        ]

    def _oldest_s(self, now: Moment) -> float:
        oldest = self._reader.captured_at(0)
        return 0.0 if oldest is None else max(0.0, (now.at - oldest).total_seconds())


def _health(device: str, now: Moment, state: str, message: str, values: dict[str, float]) -> Health:
    clock, quality = gateway_clock(now)
    return Health(
        device=device,
        time=now.at,
        captured_at=now.at,
        clock=clock,
        quality=quality,
        state="degraded" if state == "degraded" else "ok",
        message=message,
        values=values,
    )


def _device_values(tally: DeviceTally, now: Moment) -> dict[str, float]:
    values = {"events_total": float(tally.events), "last_frame_age_s": _silence_s(tally, now)}
    values |= {f"rejects_{reason}_total": float(n) for reason, n in tally.rejects.items()}
    values |= {f"drops_{reason}_total": float(n) for reason, n in tally.drops.items()}
    values |= {f"notices_{what}_total": float(n) for what, n in tally.notices.items()}
    return values


def _silence_s(tally: DeviceTally, now: Moment) -> float:
    if tally.last_frame_mono_s is None:
        return NEVER_S
    return round(now.mono_s - tally.last_frame_mono_s, 3)


def _clock_state(now: Moment) -> Literal["synchronised", "free", "unset", "unknown"]:
    if not now.is_plausible:
        return "unset"
    is_kept = box.clock_is_synchronised()
    if is_kept is None:
        return "unknown"
    return "synchronised" if is_kept else "free"


def _clock_ahead_s(tallies: dict[str, DeviceTally]) -> float | None:
    """The middle of what the GPS units say; one that rolled over its weeks does not decide."""
    told = sorted(
        ahead_s for one in tallies.values() if (ahead_s := one.clock_ahead_of_gps_s) is not None
    )
    return round(told[len(told) // 2], 3) if told else None


def _known(name: str, value: float | None) -> dict[str, float]:
    return {} if value is None else {name: value}


def _rejects_by_reason(tallies: dict[str, DeviceTally]) -> dict[str, int]:
    total: dict[str, int] = {}
    for tally in tallies.values():
        for reason, count in tally.rejects.items():
            total[reason] = total.get(reason, 0) + count
    return total
