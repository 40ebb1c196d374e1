"""What the gateway reports of itself: the retained status, and health events per device that
changed. Upstream: tally, outbox, intake. Downstream: `uplink` (status) and the outbox (health
events).
"""

from waystock.contract.acks import Status
from waystock.contract.events import Health
from waystock_gateway.clock import Clock, Moment
from waystock_gateway.intake import Intake, OwnEvents
from waystock_gateway.outbox import Outbox, OutboxReader
from waystock_gateway.sessions.session import gateway_clock
from waystock_gateway.tally import DeviceTally, Tally
from waystock_gateway.uplink import UplinkCounters

NEVER_S = -1.0


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
        self._reported: dict[str, tuple[int, int, int]] = {}

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
        )

    def health_events(self, intake: Intake, uplink: UplinkCounters) -> list[OwnEvents]:
        """The gateway's own health, and that of each device whose counts changed."""
        now = self._clock.now()
        tallies = self._tally.snapshot()
        reports = [self._gateway_health(now, intake, uplink, tallies)]
        for device, tally in tallies.items():
            counts = (tally.events, tally.rejects.total(), tally.drops.total())
            if self._reported.get(device) != counts:
                self._reported[device] = counts
                values = _device_values(tally, now)
                reports.append(OwnEvents(device, [_health(device, now, "ok", "", values)]))
        return reports

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
        }
        is_failing = intake.state.disk_refuses or counters.events_shed > 0
        state = "degraded" if is_failing else "ok"
        message = "outbox refuses" if intake.state.disk_refuses else ""
        event = _health(self._gateway, now, state, message, values)
        return OwnEvents(self._gateway, [event])

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
    return values


def _silence_s(tally: DeviceTally, now: Moment) -> float:
    if tally.last_frame_mono_s is None:
        return NEVER_S
    return round(now.mono_s - tally.last_frame_mono_s, 3)


def _rejects_by_reason(tallies: dict[str, DeviceTally]) -> dict[str, int]:
    total: dict[str, int] = {}
    for tally in tallies.values():
        for reason, count in tally.rejects.items():
            total[reason] = total.get(reason, 0) + count
    return total
