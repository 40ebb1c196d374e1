"""Alerts of shipments that come late, or not at all, in English: what happened, why, whom it hits,
what to do. Upstream: `sentence`.
"""

from waystock.alerts.english import duration, orders_hit
from waystock.alerts.figures import Case, whole

_CAUSES = {
    "late_departure": " because it left late",
    "halt": ": it stands on the way",
    "detour": ": it is off its route",
    "service": ": it is kept at the stop before",
    "slow": ": it drives slower than it should",
}
_TO_DO = {
    "halt": " Call the driver and ask why, then tell the receiver.",
    "detour": " Call the driver and ask why, then tell the receiver.",
    "service": " Ask there what is in the way, then tell the receiver.",
}


def late(case: Case) -> str:
    """shipment.late_predicted"""
    what = f"Shipment {case.subject}{_truck(case)}"
    where = _where(case)
    ended = case.text("ended")
    late_s = case.number("late_s")
    if ended == "recovered":
        return f"{what} is expected at {where} in time again{_times(case)}."
    if ended == "arrived":
        return f"{what} has reached {where}{_lateness(late_s)}.{orders_hit(case)}"
    if ended:
        return f"{what} is over; it is no longer expected at {where}."
    about = _lateness(late_s, " about") or " late"
    cause = case.text("cause")
    todo = _TO_DO.get(cause, " Tell the receiver, or agree on a later window.")
    why = _CAUSES.get(cause, "")
    return f"{what} will reach {where}{about}{_times(case)}{why}.{_hit(case)}{todo}"


def late_departure(case: Case) -> str:
    """shipment.late_departure"""
    what = f"Shipment {case.subject}{_truck(case)}"
    site = case.text("site_en")
    place = f" {site}" if site else ""
    due = case.clock("depart_at")
    when = f" at {due}" if due else ""
    if case.text("ended"):
        return f"{what} was to leave{place}{when}; it is no longer waiting there."
    fact = f"{what} was to leave{place}{when} and is not on its way"
    busy, seen = case.text("busy_with"), case.text("last_seen")
    if seen:
        heard = (
            f"not heard of since {case.clock('last_seen')}" if seen != "never" else "never heard of"
        )
        fact = (
            f"{what} was to leave{place}{when}; whether it has is not known: the truck was {heard}"
        )
        todo = " Call the driver; look at its tracker."
    elif busy:
        fact += f": the truck is still on shipment {busy}"
        todo = " Find another truck, or tell the receivers."
    else:
        todo = " Ask at the dock what is in the way."
    return f"{fact}.{_hit(case)}{todo}"


def stop_missed(case: Case) -> str:
    """shipment.stop_missed"""
    what = f"Shipment {_shipment(case)}{_truck(case)}"
    where = _where(case)
    if case.text("ended"):
        return f"{what} had left out {where}; that is settled."
    end = case.clock("window_end")
    window = f" (window ends {end})" if end else ""
    return (
        f"{what} went on to a later stop and left out {where}{window}.{_hit(case)}"
        " Call the driver: back there today, or agree on another day."
    )


def no_show(case: Case) -> str:
    """shipment.no_show"""
    what = f"Shipment {_shipment(case)}{_truck(case)}"
    where = _where(case)
    if case.text("ended"):
        return f"{what} had not come to {where}; it has been seen since."
    end, seen = case.clock("window_end"), case.clock("last_seen")
    window = f", window ended {end}" if end else ""
    known = f" The truck was last heard of at {seen}." if seen else " The truck was never heard of."
    return (
        f"{what} has not come to {where}{window}, and when it will is not known.{known}{_hit(case)}"
        " Call the driver, then the receiver."
    )


def _shipment(case: Case) -> str:
    return case.text("shipment", otherwise=case.subject.rpartition("/")[0] or case.subject)


def _where(case: Case) -> str:
    return case.text("destination_en", otherwise="its next stop")


def _hit(case: Case) -> str:
    """The orders, and the goods planned for them."""
    orders = orders_hit(case)
    units, pallets = case.number("units"), case.number("pallets")
    goods = [f"{whole(units)} units" if units else "", _pallets(pallets)]
    goods = [part for part in goods if part]
    if not goods:
        return orders
    return f"{orders.removesuffix('.') or ' Hit'}: {' on '.join(goods)}."


def _pallets(count: float | None) -> str:
    if not count:
        return ""
    return "1 pallet" if count == 1 else f"{whole(count)} pallets"


def _truck(case: Case) -> str:
    truck = case.text("plate", "vehicle")
    return f" (truck {truck})" if truck else ""


def _times(case: Case) -> str:
    eta, end = case.clock("eta"), case.clock("window_end")
    if eta and end:
        return f" ({eta}, window ends {end})"
    if eta or end:
        return f" ({eta})" if eta else f" (window ends {end})"
    return ""


def _lateness(late_s: float | None, about: str = "") -> str:
    if late_s is None:
        return ""
    if late_s < 30:
        return " in time"
    return f"{about} {duration(late_s)} late"
