"""Alerts of what is out of the ordinary on the road, in English. Upstream: `sentence`."""

from waystock.alerts.english import duration, way_of
from waystock.alerts.figures import Case, whole


def no_go(case: Case) -> str:
    """vehicle.no_go"""
    truck, place = _truck(case), _place(case, "a no-go area")
    if case.text("ended") == "hours_over":
        return f"{truck} is in {place}, which is open to it again."
    if case.text("ended"):
        return f"{truck} was in {place} and has left it."
    return f"{truck} is in {place}, where it has no business. Call the driver."


def dwell(case: Case) -> str:
    """vehicle.dwell"""
    truck, place = _truck(case), _place(case, "its stop")
    limit_s, dwell_s = case.number("limit_s"), case.number("dwell_s")
    free = f" (free time {duration(limit_s)})" if limit_s else ""
    if case.text("ended") == "hours_over":
        return f"{truck} is still at {place}{free}; its limit does not count at this hour."
    if case.text("ended"):
        long = f" after {duration(dwell_s)}" if dwell_s is not None else ""
        detention_s = case.number("detention_s")
        owed = f"; detention {duration(detention_s)}" if detention_s else ""
        return f"{truck} has left {place}{long}{free}{owed}."
    return (
        f"{truck} is held at {place} for longer than agreed{free}: the detention clock runs."
        " Ask the receiver what is in the way."
    )


def speeding(case: Case) -> str:
    """vehicle.speeding"""
    truck, place = _truck(case), _place(case, "")
    speed, limit = _kmh(case, "speed_mps"), _kmh(case, "limit_mps")
    fast = f" at up to {speed}" if speed else ""
    allowed = f" where {limit} are allowed" if limit else ""
    where = f" in {place}" if place else ""
    verb = "drove" if case.text("ended") else "drives"
    todo = "" if case.text("ended") else " Speak to the driver."
    return f"{truck} {verb} too fast{where}{fast}{allowed}.{todo}"


def unplanned_stop(case: Case) -> str:
    """vehicle.unplanned_stop"""
    truck, stopped_s = _truck(case), case.number("stopped_s")
    long = f" for {duration(stopped_s)}" if stopped_s is not None else ""
    shipment = case.text("shipment")
    on = f" of shipment {shipment}" if shipment else ""
    if case.text("ended"):
        return f"{truck} stood{long} on the way{on} and is no longer waiting there."
    return (
        f"{truck} has stood{long} on the way{on}, where no stop is planned."
        " Call the driver and ask why."
    )


def off_hours(case: Case) -> str:
    """vehicle.off_hours"""
    truck, far = _truck(case), _driven(case)
    if case.text("ended") == "hours_over":
        return f"{truck} was on the road before its working hours began{far}."
    if case.text("ended"):
        return f"{truck} was on the road outside its working hours{far} and stands now."
    return f"{truck} is on the road outside its working hours. Call the driver; it may be stolen."


def no_shipment(case: Case) -> str:
    """vehicle.no_shipment"""
    truck, far = _truck(case), _driven(case)
    if case.text("ended"):
        return f"{truck} drove without a shipment{far}; that is over."
    return f"{truck} drives without a shipment{far}. Ask where it is going, or plan it."


def temperature(case: Case) -> str:
    """vehicle.temperature"""
    truck, value = _truck(case), case.number("value_c")
    low, high = case.number("low_c"), case.number("high_c")
    lasted_s = case.number("lasted_s")
    far = f" at {value:.1f} °C" if value is not None else ""
    if low is not None and high is not None:
        band = f" (allowed: {low:g} to {high:g} °C)"
    elif low is not None:
        band = f" (allowed: {low:g} °C and above)"
    else:
        band = f" (allowed: up to {high:g} °C)" if high is not None else ""
    long = f" for {duration(lasted_s)}" if lasted_s else ""
    if case.text("ended"):
        return f"The load of {truck} was out of its temperature band{far}{band}{long}. Check it."
    return (
        f"The load of {truck} is out of its temperature band{far}{band}{long}."
        " Call the driver: doors, cooling unit, set point."
    )


def door_open(case: Case) -> str:
    """vehicle.door_open"""
    truck, open_s = _truck(case), case.number("open_s")
    long = f" for {duration(open_s)}" if open_s else ""
    if case.text("ended"):
        return f"A door of {truck} was open{long} while it drove. Check the load."
    return f"A door of {truck} is open{long} while it drives. Have the driver stop and look."


def gps_silent(case: Case) -> str:
    """gps.silent"""
    truck, silent_s = _truck(case), case.number("silent_s")
    if silent_s is not None:
        return f"{truck} was not heard of for {duration(silent_s)}. Look at its tracker."
    seen, limit_s = case.clock("last_seen"), case.number("limit_s")
    since = f" since {seen}" if seen else ""
    allowed = f" (allowed: {duration(limit_s)})" if limit_s else ""
    return (
        f"{truck} has not been heard of{since}{allowed}."
        " Call the driver; look at its tracker and its network."
    )


def gps_jump(case: Case) -> str:
    """gps.jump"""
    metres, jumps = case.number("distance_m"), case.number("jumps")
    far = f" by up to {way_of(metres)}" if metres is not None else ""
    many = f", {whole(jumps)} times" if jumps is not None and jumps > 1 else ""
    return (
        f"The position of {_truck(case)} jumps{far}{many}: such fixes are left out."
        " Look at the antenna; it may be jammed."
    )


def gps_frozen(case: Case) -> str:
    """gps.frozen"""
    frozen_s = case.number("frozen_s")
    long = f" for {duration(frozen_s)}" if frozen_s is not None else ""
    verb = "told" if case.text("ended") else "has told"
    return (
        f"The tracker of {_truck(case)} {verb} one and the same place{long} while the vehicle"
        " moved. Restart it."
    )


def wrong_door(case: Case) -> str:
    """dock.wrong_vehicle"""
    door, shipment = case.text("door"), case.text("shipment")
    at = f"at door {door}" if door else "at a door"
    right = case.text("expected_plate", "expected_vehicle")
    whose = f"which is planned for truck {right} now" if right else "which is another truck's now"
    of = f" (shipment {shipment})" if shipment else ""
    return f"{_truck(case)} stands {at}, {whose}{of}. Send it away before anything is loaded."


def _truck(case: Case) -> str:
    return "Truck " + case.text("plate", "vehicle", otherwise=case.subject)


def _driven(case: Case) -> str:
    metres = case.number("distance_m")
    return f" for {way_of(metres)}" if metres else ""


def _place(case: Case, otherwise: str) -> str:
    return case.text("fence_en", "fence", otherwise=otherwise)


def _kmh(case: Case, name: str) -> str:
    speed_mps = case.number(name)
    return "" if speed_mps is None else f"{whole(speed_mps * 3.6)} km/h"
