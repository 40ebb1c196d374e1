"""Fourth stage: what sensors of vehicles measured is held against the vehicles' limits: the load's
temperature, and doors that are open on the road. Upstream: telemetry, and the fleet stage's trips;
downstream: the store's alerts.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from waystock.contract.events import Telemetry
from waystock.fleet.derived import instant_from_us
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
        for place, number in enumerate(numbers):
            vehicle, measures = wanted[number]
            if not measures:
                continue
            event = one.events[place]
            assert isinstance(event, Telemetry)
            for measure in measures & event.values.keys():
                yield SensorNews(vehicle, event.device, measure, event.time, event.time)


def _wanted(work: Work, device: str) -> tuple[str, frozenset[str]]:
    """The vehicle it measures in, and what is watched of it."""
    known = work.master.devices.get(device)
    if known is None or known.vehicle is None:
        return "", frozenset()
    limits = work.master.limits.of(known.vehicle)
    return known.vehicle, frozenset(one for one in (TEMPERATURE, DOOR) if is_watched(limits, one))


def _of_trips(work: Work) -> Iterator[SensorNews]:
    """Doors of vehicles whose trips are others than they were, from then on."""
    since = {
        vehicle: since_us
        for vehicle, since_us in work.trips_since.items()
        if is_watched(work.master.limits.of(vehicle), DOOR)
    }
    if not since:
        return
    for device in work.master.devices.values():
        if device.vehicle is not None and device.vehicle in since:
            first = instant_from_us(since[device.vehicle])
            yield SensorNews(device.vehicle, device.device, DOOR, first, _EVER)
