"""Alerts of the fleet fold: its episodes of lateness, of leaving the route and of what else is out
of the ordinary become alert rows that name the orders they hit. Upstream: the fleet stage;
downstream: the store's alerts.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from waystock.fleet.alert_rows import EPISODES, OF_VEHICLES, Episode, episode, is_known
from waystock.fleet.derived import as_row, instant_from_us, instant_or_none
from waystock.fleet.records import Records
from waystock.fleet.rows import LATE, Row
from waystock.store.alerts import AlertRow, Scope, replace_episodes
from waystock.store.fleet import Again
from waystock.store.silence import withdraw_silence
from waystock.store.stock_alerts import goods_of_shipments, orders_of_shipments
from waystock_ingest.stages.work import Work

_KINDS = tuple(EPISODES)


def put_episodes(
    work: Work,
    vehicles: Sequence[str],
    rows: Records,
    names: Mapping[int, str],
    again: Again | None,
) -> None:
    """Write what the fold says of alerts; take back what a second fold doesn't say any more. An
    episode of a shipment or a fence that `names` doesn't know is left out."""
    scopes = _scopes(work, again) if again is not None else []
    said = [as_row(one) for one in rows[np.isin(rows["kind"], _KINDS)]]
    said = [row for row in said if is_known(row, names)]
    if not said and not scopes:
        return
    orders = orders_of_shipments(
        work.database, {names[row.shipment] for row in said if row.shipment != 0}
    )
    goods = goods_of_shipments(
        work.database, {names[row.shipment] for row in said if row.kind == LATE}
    )
    alerts = [
        _alert(work, row, episode(row, vehicles[row.track], work.plan, names), orders, goods)
        for row in said
    ]
    # Two fences entered at one instant may each have an alert of one type: one stands for both.
    alerts = list({(one.type, one.subject, one.opened_at): one for one in alerts}.values())
    work.dirty["alerts"] |= replace_episodes(work.database, scopes, alerts)


def end_silences(work: Work, vehicles: Sequence[str]) -> None:
    """What the worker told of vehicles that were overdue, and have been heard of now."""
    work.dirty["alerts"] |= withdraw_silence(work.database, vehicles)


def _scopes(work: Work, again: Again) -> list[Scope]:
    """What the second fold decides anew, of each vehicle and its shipments."""
    scopes: list[Scope] = []
    for vehicle, since_us in zip(again.vehicles, again.since_us.tolist(), strict=True):
        since = instant_from_us(since_us)
        scopes += [Scope(kind, vehicle, since) for kind in OF_VEHICLES]
        scopes += [
            Scope("shipment.late_predicted", shipment, since)
            for shipment in work.plan.codes_of(vehicle)
        ]
    return scopes


def _alert(
    work: Work,
    row: Row,
    said: Episode,
    orders: Mapping[str, list[str]],
    goods: Mapping[str, dict[str, float]],
) -> AlertRow:
    names = work.master.names
    site = names.site_by_shipment.get(said.shipment or "") or names.home_sites.get(said.vehicle)
    figures = {
        **said.figures,
        "vehicle": said.vehicle,
        "plate": names.plates.get(said.vehicle, said.vehicle),
        "time_zone": names.time_zones.get(site or "", "UTC"),
        **(goods.get(said.subject, {}) if row.kind == LATE else {}),
    }
    return AlertRow(
        said.type,
        said.subject,
        said.opened_at,
        said.cleared_at,
        site,
        figures,
        orders.get(said.shipment or "", ()),
        said.captured_at,
        instant_from_us(row.decided_us),
        instant_or_none(row.end_decided_us),
    )
