"""The figures on the big screen say what their definition says."""

from tests.unit.api.entries import alert, stock, transit
from waystock.contract.live import AlertEntity, TransitEntity
from waystock_api.live.kpi import compute_kpis
from waystock_api.live.picture import Entry, make_entry

SHIPMENTS = {"s1": "sha", "s2": "sha", "s3": "ber", "s4": "ber"}


def figures(
    stocks: list[Entry] = [],  # noqa: B006
    vehicles: list[TransitEntity] = [],  # noqa: B006
    alerts: list[AlertEntity] = [],  # noqa: B006
) -> dict[str, float]:
    kpis = compute_kpis(
        ["sha"],
        stocks,
        [make_entry(vehicle, SHIPMENTS) for vehicle in vehicles],
        [make_entry(each, {}) for each in alerts],
        version=1,
    )
    assert all(kpi.key == f"{kpi.site}/{kpi.name}" for kpi in kpis)
    return {kpi.key: kpi.value for kpi in kpis}


def test_a_site_with_nothing_shows_zeros_and_no_invented_percentage() -> None:
    shown = figures()
    assert shown["sha/stock_units"] == 0
    assert shown["all/alerts_open"] == 0
    assert "sha/on_time_percent" not in shown


def test_stock_adds_up_per_site_and_over_all() -> None:
    shown = figures([stock("sha", "1", 5, 1), stock("sha", "2", 6, 1), stock("ber", "1", 7, 1)])
    assert (shown["sha/stock_units"], shown["ber/stock_units"]) == (11, 7)
    assert shown["all/stock_units"] == 18


def test_five_minutes_late_is_on_time_and_a_second_more_is_not() -> None:
    shown = figures(
        vehicles=[
            transit("t1", 1, shipment="s1", late_s=300.0, load_units=4),
            transit("t2", 1, shipment="s2", late_s=301.0, load_units=5),
        ]
    )
    assert shown["sha/on_time_percent"] == 50.0
    assert (shown["sha/shipments_on_time"], shown["sha/shipments_late"]) == (1, 1)
    assert shown["sha/in_transit_units"] == 9


def test_a_shipment_without_prediction_is_unknown_never_on_time() -> None:
    shown = figures(
        vehicles=[transit("t3", 1, shipment="s3"), transit("t4", 1, shipment="s4", late_s=-60.0)]
    )
    assert shown["ber/on_time_percent"] == 100.0
    assert (shown["ber/shipments_active"], shown["ber/shipments_unknown"]) == (2, 1)


def test_cleared_alerts_are_not_counted_as_open() -> None:
    shown = figures(alerts=[alert("a", 1), alert("b", 1, cleared_ago_s=60)])
    assert (shown["sha/alerts_open"], shown["sha/alerts_critical"]) == (1, 0)
