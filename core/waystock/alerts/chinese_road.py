"""Alerts of what is out of the ordinary on the road, in Chinese. Upstream: `sentence`."""

from waystock.alerts.chinese import duration, way_of
from waystock.alerts.figures import Case, whole


def no_go(case: Case) -> str:
    """vehicle.no_go"""
    truck, place = _truck(case), _place(case, "禁行区")
    if case.text("ended"):
        return f"{truck} 曾进入{place}，现已离开。"
    return f"{truck} 进入了不应进入的{place}。请联系司机。"


def dwell(case: Case) -> str:
    """vehicle.dwell"""
    truck, place = _truck(case), _place(case, "停靠点")
    limit_s, dwell_s = case.number("limit_s"), case.number("dwell_s")
    free = f"（免费时间 {duration(limit_s)}）" if limit_s else ""
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


def gps_silent(case: Case) -> str:
    """gps.silent"""
    silent_s = case.number("silent_s")
    long = f" {duration(silent_s)}" if silent_s is not None else "一段时间"
    return f"{_truck(case)} 行驶中失去定位{long}。请检查定位终端和网络。"


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


def _place(case: Case, otherwise: str) -> str:
    return case.text("fence_zh", "fence_en", "fence", otherwise=otherwise)


def _kmh(case: Case, name: str) -> str:
    speed_mps = case.number(name)
    return "" if speed_mps is None else f"{whole(speed_mps * 3.6)} 公里/小时"
