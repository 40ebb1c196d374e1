"""Alerts that follow from the ledger: wrong vehicle, short receipt, low stock. Each is made again
for what a batch touched, from the ledger alone, so that any order of arrival ends in the same rows.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from waystock.stock.exceptions import LevelChange, low_stock_episodes
from waystock.stock.interpret import Directory
from waystock.stock.ledger import LpnHistory
from waystock.store import arrays
from waystock.store.alerts import AlertRow, Scope, open_before, replace_episodes
from waystock.store.connection import Database
from waystock.store.directory import Names, in_words
from waystock.store.sql import queries
from waystock.store.stock import LedgerChange

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class _ReceiptLine(NamedTuple):
    """A line of a purchase order whose delivery was declared complete."""

    purchase_order: str
    site: str
    supplier: str
    gtin: str
    expected: int
    received: int
    closed_at: datetime
    captured_at: datetime


def raise_stock_alerts(
    database: Database, change: LedgerChange, directory: Directory, names: Names
) -> set[str]:
    """Bring the alerts in line with the ledger after `change`; ids of alerts that changed."""
    return (
        _wrong_vehicle(database, change.histories, directory, names)
        | raise_undecided(database, [one for one in change.histories if one.undecided], directory)
        | _short_receipts(
            database, change.documents & directory.supplier_by_purchase_order.keys(), names
        )
        | _low_stock(database, change.since, names)
    )


def orders_of_shipments(database: Database, shipments: Iterable[str]) -> dict[str, list[str]]:
    """Shipment → its sales orders, the most urgent first."""
    rows = database.execute(
        queries("stock")["orders_of_shipments"], {"shipments": sorted(shipments)}
    )
    return {row[0]: row[1] for row in rows}


def goods_of_shipments(database: Database, shipments: Iterable[str]) -> dict[str, dict[str, float]]:
    """Shipment → planned `units` of its orders and `pallets` on it, where there are any."""
    rows = database.execute(
        queries("stock")["goods_of_shipments"], {"shipments": sorted(shipments)}
    )
    return {
        row[0]: {
            name: float(value)
            for name, value in (("units", row[1]), ("pallets", row[2]))
            if value is not None
        }
        for row in rows
    }


def _wrong_vehicle(
    database: Database, histories: Iterable[LpnHistory], directory: Directory, names: Names
) -> set[str]:
    planned = [one for one in histories if one.lpn in directory.plan_by_lpn]
    if not planned:
        return set()
    orders = orders_of_shipments(
        database, {directory.plan_by_lpn[one.lpn].shipment for one in planned}
    )
    episodes: list[AlertRow] = []
    for history in planned:
        plan = directory.plan_by_lpn[history.lpn]
        for misload in history.misloads:
            figures = {
                "lpn": misload.lpn,
                "vehicle": misload.loaded_on,
                "loaded_on": names.plates.get(misload.loaded_on, misload.loaded_on),
                "belongs_on": names.plates.get(plan.vehicle, plan.vehicle),
                "shipment": plan.shipment,
                "door": misload.door.rpartition("/")[2],
            }
            episodes.append(
                AlertRow(
                    "load.wrong_vehicle",
                    misload.lpn,
                    misload.opened_at,
                    misload.cleared_at,
                    directory.site_by_location.get(misload.door),
                    figures,
                    orders.get(plan.shipment, ()),
                    misload.captured_at,
                    misload.opened_at,
                    misload.cleared_at,
                )
            )
    scopes = [Scope("load.wrong_vehicle", one.lpn, _EVER) for one in planned]
    return replace_episodes(database, scopes, episodes)


def raise_undecided(
    database: Database, histories: Iterable[LpnHistory], directory: Directory
) -> set[str]:
    """Pallets that passed a portal nobody knows which way; ids of alerts that changed. Of a pallet
    that has none of these any more, what was said is taken back."""
    by_lpn = {one.lpn: one for one in histories}
    if not by_lpn:
        return set()
    found = [one for history in by_lpn.values() for one in history.undecided]
    plans = [directory.plan_by_lpn[one.lpn] for one in found if one.lpn in directory.plan_by_lpn]
    orders = orders_of_shipments(database, {plan.shipment for plan in plans}) if plans else {}
    episodes: list[AlertRow] = []
    for one in found:
        plan = directory.plan_by_lpn.get(one.lpn)
        figures = {
            "lpn": one.lpn,
            "door": one.door.rpartition("/")[2],
            "reason": one.reason,
        }
        episodes.append(
            AlertRow(
                "portal.undecided",
                one.lpn,
                one.opened_at,
                one.cleared_at,
                directory.site_by_location.get(one.door),
                figures,
                orders.get(plan.shipment, ()) if plan else (),
                one.captured_at,
                one.opened_at,
                one.cleared_at,
            )
        )
    scopes = [Scope("portal.undecided", lpn, _EVER) for lpn in by_lpn]
    return replace_episodes(database, scopes, episodes)


def _short_receipts(database: Database, purchase_orders: Iterable[str], names: Names) -> set[str]:
    wanted = sorted(purchase_orders)
    if not wanted:
        return set()
    parameters = {"purchase_orders": wanted}
    database.execute(queries("stock")["lock_receipts"], parameters)
    rows = database.execute(queries("stock")["receipts"], parameters)
    short = [line for line in map(_ReceiptLine._make, rows) if line.received < line.expected]
    orders = _orders_for(database, [(one.site, one.gtin, one.closed_at) for one in short])
    by_order: dict[str, list[_ReceiptLine]] = {}
    for line in short:
        by_order.setdefault(line.purchase_order, []).append(line)
    episodes = [
        AlertRow(
            "receipt.short",
            purchase_order,
            lines[0].closed_at,
            None,
            lines[0].site,
            _short_figures(lines, names),
            list(
                dict.fromkeys(hit for one in lines for hit in orders.get((one.site, one.gtin), ()))
            ),
            lines[0].captured_at,
            lines[0].closed_at,
            None,
        )
        for purchase_order, lines in by_order.items()
    ]
    return replace_episodes(
        database, [Scope("receipt.short", one, _EVER) for one in wanted], episodes
    )


def _short_figures(lines: list[_ReceiptLine], names: Names) -> dict[str, object]:
    """The whole delivery's sums; the product named is the one of which most is missing."""
    worst = max(lines, key=lambda one: one.expected - one.received)
    expected, received = sum(one.expected for one in lines), sum(one.received for one in lines)
    return {
        "gtin": worst.gtin,
        **in_words("product", names.products, worst.gtin),
        **in_words("supplier", names.parties, worst.supplier),
        "expected": expected,
        "received": received,
        "missing": expected - received,
        "lines_short": len(lines),
    }


def _low_stock(
    database: Database, changed: Mapping[tuple[str, str], datetime], names: Names
) -> set[str]:
    """`changed`: (location, gtin) → since when."""
    earliest: dict[tuple[str, str], datetime] = {}
    for (location, gtin), at in changed.items():
        key = (location.partition("/")[0], gtin)
        earliest[key] = min(earliest.get(key, at), at)
    if not earliest:
        return set()
    watched = database.execute(
        queries("stock")["lock_levels"],
        {
            "sites": arrays.texts([site for site, _ in earliest]),
            "gtins": arrays.texts([gtin for _, gtin in earliest]),
        },
    ).fetchall()
    if not watched:
        return set()
    levels = database.execute(
        queries("stock")["levels"],
        {"sites": [site for site, _ in watched], "gtins": [gtin for _, gtin in watched]},
    ).fetchall()
    since = {(row[0], row[1]): earliest[row[0], row[1]] for row in levels}
    changes: dict[tuple[str, str], list[LevelChange]] = {key: [] for key in since}
    for site, gtin, at, change, captured_at in database.execute(
        queries("stock")["level_changes"],
        {
            "sites": [key[0] for key in since],
            "gtins": [key[1] for key in since],
            "since": list(since.values()),
            "first": min(since.values()),
        },
    ):
        changes[site, gtin].append(LevelChange(at, change, captured_at))
    running = open_before(
        database, "stock.low", {f"{key[0]}/{key[1]}": at for key, at in since.items()}
    )
    return _put_low_stock(database, levels, changes, since, running, names)


def _put_low_stock(
    database: Database,
    levels: list[tuple[str, str, int, int]],
    changes: Mapping[tuple[str, str], list[LevelChange]],
    since: Mapping[tuple[str, str], datetime],
    running: Mapping[str, datetime],
    names: Names,
) -> set[str]:
    found = [
        (site, gtin, reorder_point, episode)
        for site, gtin, reorder_point, on_hand in levels
        for episode in low_stock_episodes(
            on_hand - sum(one.change for one in changes[site, gtin]),
            reorder_point,
            changes[site, gtin],
            running.get(f"{site}/{gtin}"),
        )
    ]
    orders = _orders_for(database, [(site, gtin, one.opened_at) for site, gtin, _, one in found])
    episodes: list[AlertRow] = []
    for site, gtin, reorder_point, episode in found:
        figures: dict[str, object] = {}
        if episode.level is not None:
            figures = {
                "gtin": gtin,
                **in_words("product", names.products, gtin),
                **in_words("site", names.sites, site),
                "on_hand": episode.level,
                "reorder_point": reorder_point,
            }
        episodes.append(
            AlertRow(
                "stock.low",
                f"{site}/{gtin}",
                episode.opened_at,
                episode.cleared_at,
                site,
                figures,
                orders.get((site, gtin), ()),
                episode.captured_at,
                episode.opened_at,
                episode.cleared_at,
            )
        )
    tick = timedelta(microseconds=1)
    scopes = [
        Scope("stock.low", f"{site}/{gtin}", since[site, gtin] - tick) for site, gtin, *_ in levels
    ]
    return replace_episodes(database, scopes, episodes)


def _orders_for(
    database: Database, wanted: Iterable[tuple[str, str, datetime]]
) -> dict[tuple[str, str], list[str]]:
    """Sales orders not yet shipped at that instant that need this product from this site."""
    earliest: dict[tuple[str, str], datetime] = {}
    for site, gtin, at in wanted:
        earliest[site, gtin] = min(at, earliest.get((site, gtin), at))
    if not earliest:
        return {}
    rows = database.execute(
        queries("stock")["orders_for_product"],
        {
            "sites": [key[0] for key in earliest],
            "gtins": [key[1] for key in earliest],
            "at": list(earliest.values()),
        },
    )
    return {(row[0], row[1]): row[2] for row in rows}
