"""Fourth stage: what sensors of vehicles measured is held against the vehicles' limits: the load's
temperature, and doors that are open on the road. Upstream: telemetry, and the fleet stage's trips;
downstream: the store's alerts.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from waystock.contract.events import Telemetry
from waystock.fleet.assignments import Span
from waystock.fleet.derived import instant_from_us
from waystock.fleet.plan import instant_us
from waystock.store.sensor_alerts import (
    DOOR,
    TEMPERATURE,
    SensorNews,
    is_watched,
    merged,
    raise_sensor_alerts,
)
from waystock_ingest.stages.work import Work

_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_BEGINNING_US, _EVER_US = instant_us(datetime(1970, 1, 1, tzinfo=UTC)), instant_us(_EVER)


def watch_sensors(work: Work) -> None:
    """Only vehicles with such a limit cost anything."""
    news = merged([*_measured(work), *_of_trips(work)])
    if news:
        limits = [(one, work.master.limits.of(one.vehicle)) for one in news]
        work.dirty["alerts"] |= raise_sensor_alerts(work.database, limits, work.master.names)


def _measured(work: Work) -> Iterator[SensorNews]:
    for one in work.columns:
        if one.kind is not Telemetry:
            continue
        wanted = [_wanted(work, name) for name in one.devices]
        numbers: list[int] = one.device.tolist()
        times_us: list[int] = one.time_us.tolist()
        for place, (number, time_us) in enumerate(zip(numbers, times_us, strict=True)):
            for span, measures in wanted[number]:
                if not span.from_us <= time_us < span.until_us:
                    continue
                event = one.events[place]
                assert isinstance(event, Telemetry)
                for measure in measures & event.values.keys():
                    yield _news(span, measure, event.time, event.time)


def _wanted(work: Work, device: str) -> list[tuple[Span, frozenset[str]]]:
    """The vehicles it measures in, and what is watched of each."""
    found: list[tuple[Span, frozenset[str]]] = []
    for span in work.master.assignments.of_device(device):
        limits = work.master.limits.of(span.vehicle)
        watched = frozenset(one for one in (TEMPERATURE, DOOR) if is_watched(limits, one))
        if watched:
            found.append((span, watched))
    return found


def _news(span: Span, measure: str, first: datetime, last: datetime) -> SensorNews:
    on_from = max(_BEGINNING_US, span.from_us)
    on_until = min(_EVER_US, span.until_us) - 1
    return SensorNews(
        span.vehicle,
        span.device,
        measure,
        first,
        last,
        instant_from_us(on_from),
        instant_from_us(on_until),
    )


def _of_trips(work: Work) -> Iterator[SensorNews]:
    """Doors of vehicles whose trips are others than they were, from then on."""
    for vehicle, since_us in work.trips_since.items():
        if not is_watched(work.master.limits.of(vehicle), DOOR):
            continue
        for span in work.master.assignments.of_vehicle(vehicle):
            if span.until_us > since_us:
                first = instant_from_us(max(since_us, span.from_us))
                yield _news(span, DOOR, first, _EVER)
