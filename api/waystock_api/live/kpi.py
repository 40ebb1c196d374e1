"""The figures of the `kpi` channel, computed from the picture: stock, goods in transit,
punctuality of the shipments that are under way, open alerts; per site, and over all sites under
the name `all`. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from waystock.contract.live import AlertEntity, KpiEntity, StockEntity, TransitEntity
from waystock_api.live.picture import Entry

ALL_SITES = "all"
LATE_AFTER_S = 300.0
"""A shipment counts as late where its predicted arrival is further past the window than this."""

UNITS = {
    "stock_units": "piece",
    "in_transit_units": "piece",
    "shipments_active": "shipment",
    "shipments_on_time": "shipment",
    "shipments_late": "shipment",
    "shipments_unknown": "shipment",
    "on_time_percent": "%",
    "alerts_open": "alert",
    "alerts_critical": "alert",
}


def compute_kpis(
    sites: Iterable[str],
    stock: Iterable[Entry],
    transit: Iterable[Entry],
    alerts: Iterable[Entry],
    version: int,
) -> list[KpiEntity]:
    """All figures at `version` (µs). `on_time_percent` is left out where nothing is known.

    on_time_percent = on time / (on time + late), of shipments on a vehicle with a prediction;
    those without one are `shipments_unknown` and in no denominator.
    """
    figures: defaultdict[str, Counter[str]] = defaultdict(Counter)
    figures[ALL_SITES] = Counter()
    for site in sites:
        figures[site] = Counter()
    for entry in stock:
        if isinstance(entry.entity, StockEntity):
            _count(figures, entry, {"stock_units": entry.entity.on_hand})
    for entry in transit:
        if isinstance(entry.entity, TransitEntity):
            _count(figures, entry, _of_vehicle(entry.entity))
    for entry in alerts:
        if isinstance(entry.entity, AlertEntity) and entry.entity.state == "open":
            critical = int(entry.entity.severity == "critical")
            _count(figures, entry, {"alerts_open": 1, "alerts_critical": critical})
    return [
        KpiEntity(
            key=f"{site}/{name}", version=version, site=site, name=name, value=value, unit=unit
        )
        for site, counted in sorted(figures.items())
        for name, unit in UNITS.items()
        if (value := _value(counted, name)) is not None
    ]


def _of_vehicle(vehicle: TransitEntity) -> dict[str, int]:
    counted = {"in_transit_units": vehicle.load_units}
    if vehicle.shipment is None:
        return counted
    if vehicle.late_s is None:
        state = "shipments_unknown"
    else:
        state = "shipments_late" if vehicle.late_s > LATE_AFTER_S else "shipments_on_time"
    return counted | {"shipments_active": 1, state: 1}


def _count(figures: dict[str, Counter[str]], entry: Entry, counted: dict[str, int]) -> None:
    for site in (ALL_SITES, *entry.sites):
        figures[site].update(counted)


def _value(counted: Counter[str], name: str) -> float | None:
    if name != "on_time_percent":
        return float(counted[name])
    known = counted["shipments_on_time"] + counted["shipments_late"]
    return round(100.0 * counted["shipments_on_time"] / known, 1) if known else None
