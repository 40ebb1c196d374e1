"""Alerts of what is out of the ordinary on the road, in Chinese. Upstream: `sentence`."""

from waystock.alerts.chinese import duration, way_of
from waystock.alerts.figures import Case, whole


def no_go(case: Case) -> str:
    """vehicle.no_go"""
    truck, place = _truck(case), _place(case, "禁行区")
    if case.text("ended") == "hours_over":
        return f"{truck} 仍在{place}，现为允许时段。"
    if case.text("ended"):
        return f"{truck} 曾进入{place}，现已离开。"
    return f"{truck} 进入了不应进入的{place}。请联系司机。"


def dwell(case: Case) -> str:
    """vehicle.dwell"""
    truck, place = _truck(case), _place(case, "停靠点")
    limit_s, dwell_s = case.number("limit_s"), case.number("dwell_s")
    free = f"（免费时间 {duration(limit_s)}）" if limit_s else ""
    if case.text("ended") == "hours_over":
        return f"{truck} 仍在{place}{free}，此时段不计停留时限。"
    if case.text("ended"):
        long = f"，共停留 {duration(dwell_s)}" if dwell_s is not None else ""
        detention_s = case.number("detention_s")
        owed = f"，滞留 {duration(detention_s)}" if detention_s else ""
        return f"{truck} 已离开{place}{long}{free}{owed}。"
    return f"{truck} 在{place}停留超时{free}，滞留计时已开始。请向收货方了解原因。"


def speeding(case: Case) -> str:
    """vehicle.speeding"""
    truck, place = _truck(case), _place(case, "")
    speed, limit = _kmh(case, "speed_mps"), _kmh(case, "limit_mps")
    where = f"在{place}" if place else ""
    fast = f"，最高 {speed}" if speed else ""
    allowed = f"（限速 {limit}）" if limit else ""
    if case.text("ended"):
        return f"{truck} 曾{where}超速行驶{fast}{allowed}。"
    return f"{truck} 正{where}超速行驶{fast}{allowed}。请提醒司机。"


def unplanned_stop(case: Case) -> str:
    """vehicle.unplanned_stop"""
    truck, stopped_s = _truck(case), case.number("stopped_s")
    long = f" {duration(stopped_s)}" if stopped_s is not None else ""
    shipment = case.text("shipment")
    on = f"运单 {shipment} 的途中" if shipment else "途中"
    if case.text("ended"):
        return f"{truck} 曾在{on}计划外停车{long}，现已不在原处等待。"
    return f"{truck} 在{on}计划外停车{long}。请联系司机了解原因。"


def off_hours(case: Case) -> str:
    """vehicle.off_hours"""
    truck, far = _truck(case), _driven(case)
    if case.text("ended") == "hours_over":
        return f"{truck} 曾在工作时间开始前上路{far}。"
    if case.text("ended"):
        return f"{truck} 曾在工作时间外行驶{far}，现已停车。"
    return f"{truck} 正在工作时间外行驶。请联系司机，谨防被盗。"


def no_shipment(case: Case) -> str:
    """vehicle.no_shipment"""
    truck, far = _truck(case), _driven(case)
    if case.text("ended"):
        return f"{truck} 曾无运单行驶{far}，现已结束。"
    return f"{truck} 正在无运单行驶{far}。请了解去向或补排运单。"


def temperature(case: Case) -> str:
    """vehicle.temperature"""
    truck, value = _truck(case), case.number("value_c")
    low, high = case.number("low_c"), case.number("high_c")
    lasted_s = case.number("lasted_s")
    far = f"，达 {value:.1f} °C" if value is not None else ""
    if low is not None and high is not None:
        band = f"（允许 {low:g} 至 {high:g} °C）"
    elif low is not None:
        band = f"（允许不低于 {low:g} °C）"
    else:
        band = f"（允许不高于 {high:g} °C）" if high is not None else ""
    long = f"，持续 {duration(lasted_s)}" if lasted_s else ""
    if case.text("ended"):
        return f"{truck} 的货温曾超出允许范围{far}{band}{long}。请查验货物。"
    return f"{truck} 的货温超出允许范围{far}{band}{long}。请联系司机检查车门、制冷机和设定温度。"


def door_open(case: Case) -> str:
    """vehicle.door_open"""
    truck, open_s = _truck(case), case.number("open_s")
    long = f" {duration(open_s)}" if open_s else ""
    if case.text("ended"):
        return f"{truck} 行驶中车门曾开启{long}。请查验货物。"
    return f"{truck} 行驶中车门开启{long}。请司机停车检查。"


def gps_silent(case: Case) -> str:
    """gps.silent"""
    truck, silent_s = _truck(case), case.number("silent_s")
    if silent_s is not None:
        return f"{truck} 曾失联 {duration(silent_s)}。请检查定位终端。"
    seen, limit_s = case.clock("last_seen"), case.number("limit_s")
    since = f"（最后定位 {seen}）" if seen else ""
    allowed = f"，已超过 {duration(limit_s)}" if limit_s else ""
    return f"{truck} 失联{since}{allowed}。请联系司机，并检查定位终端和网络。"


def gps_jump(case: Case) -> str:
    """gps.jump"""
    metres, jumps = case.number("distance_m"), case.number("jumps")
    far = f"，最远 {way_of(metres)}" if metres is not None else ""
    many = f"，共 {whole(jumps)} 次" if jumps is not None and jumps > 1 else ""
    return (
        f"{_truck(case)} 的定位发生跳变{far}{many}，这些定位点未被采用。请检查天线，可能受到干扰。"
    )


def gps_frozen(case: Case) -> str:
    """gps.frozen"""
    frozen_s = case.number("frozen_s")
    long = f" {duration(frozen_s)}" if frozen_s is not None else ""
    verb = "曾" if case.text("ended") else "已"
    return f"{_truck(case)} 行驶中，定位终端{verb}停在同一位置{long}。请重启终端。"


def wrong_door(case: Case) -> str:
    """dock.wrong_vehicle"""
    door, shipment = case.text("door"), case.text("shipment")
    at = f"{door} 道口" if door else "道口"
    right = case.text("expected_plate", "expected_vehicle")
    whose = f"该道口此时应停车辆 {right}" if right else "该道口此时应停其他车辆"
    of = f"（运单 {shipment}）" if shipment else ""
    return f"{_truck(case)} 停在{at}，{whose}{of}。请在装货前让其驶离。"


def _truck(case: Case) -> str:
    return "车辆 " + case.text("plate", "vehicle", otherwise=case.subject)


def _driven(case: Case) -> str:
    metres = case.number("distance_m")
    return f" {way_of(metres)}" if metres else ""


def _place(case: Case, otherwise: str) -> str:
    return case.text("fence_zh", "fence_en", "fence", otherwise=otherwise)


def _kmh(case: Case, name: str) -> str:
    speed_mps = case.number(name)
    return "" if speed_mps is None else f"{whole(speed_mps * 3.6)} 公里/小时"
