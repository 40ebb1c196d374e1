"""Alerts of shipments that come late, or not at all, in simplified Chinese: what happened, why,
whom it hits, what to do. Upstream: `sentence`.
"""

from waystock.alerts.chinese import duration, orders_hit
from waystock.alerts.figures import Case, whole

_CAUSES = {
    "late_departure": "，原因：发车晚点",
    "halt": "，原因：车辆在途中停留",
    "detour": "，原因：车辆偏离路线",
    "service": "，原因：在上一站滞留",
    "slow": "，原因：行驶偏慢",
}
_TO_DO = {
    "halt": "请联系司机了解原因，并通知收货方。",
    "detour": "请联系司机了解原因，并通知收货方。",
    "service": "请向上一站了解滞留原因，并通知收货方。",
}


def late(case: Case) -> str:
    """shipment.late_predicted"""
    what = f"运单 {case.subject}{_truck(case) or ' '}"
    where = _where(case)
    ended = case.text("ended")
    late_s = case.number("late_s")
    if ended == "recovered":
        return f"{what}预计可按时到达{where}{_times(case)}。"
    if ended == "arrived":
        return f"{what}已到达{where}{_lateness(late_s)}。{orders_hit(case)}"
    if ended:
        return f"{what}已结束，不再预计到达{where}。"
    about = _lateness(late_s, "约") or "，将晚点"
    cause = case.text("cause")
    todo = _TO_DO.get(cause, "请通知收货方或改约时间。")
    return f"{what}预计到达{where}{about}{_times(case)}{_CAUSES.get(cause, '')}。{_hit(case)}{todo}"


def late_departure(case: Case) -> str:
    """shipment.late_departure"""
    what = f"运单 {case.subject}{_truck(case) or ' '}"
    site = case.text("site_zh", "site_en")
    due = case.clock("depart_at")
    plan = f"应{f'于 {due} ' if due else ''}从{site or '发货地'}发车"
    if case.text("ended"):
        return f"{what}{plan}，现已不在等待发车。"
    busy, seen = case.text("busy_with"), case.text("last_seen")
    if seen:
        heard = (
            f"车辆自 {case.clock('last_seen')} 起无消息" if seen != "never" else "车辆从未上报位置"
        )
        return f"{what}{plan}，是否已发车未知：{heard}。{_hit(case)}请联系司机并检查定位终端。"
    if busy:
        return f"{what}{plan}，车辆仍在执行运单 {busy}。{_hit(case)}请另派车辆或通知收货方。"
    return f"{what}{plan}，至今未上路。{_hit(case)}请向道口了解原因。"


def stop_missed(case: Case) -> str:
    """shipment.stop_missed"""
    what = f"运单 {_shipment(case)}{_truck(case) or ' '}"
    where = _where(case)
    if case.text("ended"):
        return f"{what}曾漏停{where}，现已处理。"
    end = case.clock("window_end")
    window = f"（时间窗截止 {end}）" if end else ""
    return (
        f"{what}已到后面的站点，漏停{where}{window}。{_hit(case)}请联系司机今日返回，或改约日期。"
    )


def no_show(case: Case) -> str:
    """shipment.no_show"""
    what = f"运单 {_shipment(case)}{_truck(case) or ' '}"
    where = _where(case)
    if case.text("ended"):
        return f"{what}曾未到{where}，现已有消息。"
    end, seen = case.clock("window_end"), case.clock("last_seen")
    window = f"（时间窗已于 {end} 截止）" if end else ""
    known = f"车辆最后消息 {seen}。" if seen else "车辆从未上报位置。"
    return (
        f"{what}未到{where}{window}，到达时间未知。{known}{_hit(case)}请先联系司机，再通知收货方。"
    )


def _shipment(case: Case) -> str:
    return case.text("shipment", otherwise=case.subject.rpartition("/")[0] or case.subject)


def _where(case: Case) -> str:
    return case.text("destination_zh", "destination_en", otherwise="下一站")


def _hit(case: Case) -> str:
    """The orders, and the goods planned for them."""
    units, pallets = case.number("units"), case.number("pallets")
    goods = [f"{whole(units)} 件" if units else "", f"{whole(pallets)} 托盘" if pallets else ""]
    goods = [part for part in goods if part]
    told = f"涉及货物 {'、'.join(goods)}。" if goods else ""
    return orders_hit(case) + told


def _truck(case: Case) -> str:
    truck = case.text("plate", "vehicle")
    return f"（车辆 {truck}）" if truck else ""


def _times(case: Case) -> str:
    eta, end = case.clock("eta"), case.clock("window_end")
    told = [f"预计 {eta}" if eta else "", f"时间窗截止 {end}" if end else ""]
    told = [part for part in told if part]
    return f"（{'，'.join(told)}）" if told else ""


def _lateness(late_s: float | None, about: str = "") -> str:
    if late_s is None:
        return ""
    if late_s < 30:
        return "，按时"
    return f"，晚点{about} {duration(late_s)}"
