"""Alerts in simplified Chinese: what happened, whom it hits, what to do. Upstream: `sentence`."""

from waystock.alerts.figures import Case, whole


def orders_hit(case: Case) -> str:
    """`影响 2 个订单：SO-1、SO-2。` or nothing."""
    if not case.orders:
        return ""
    named = case.orders_named("、", lambda rest: f" 等，另有 {rest} 个")
    return f"影响 {len(case.orders)} 个订单：{named}。"


def off_route(case: Case) -> str:
    """vehicle.off_route"""
    truck = case.text("plate", "vehicle", otherwise=case.subject)
    shipment = case.text("shipment")
    way = f"运单 {shipment} 的计划路线" if shipment else "计划路线"
    if case.text("ended") == "recovered":
        return f"车辆 {truck} 已回到{way}。"
    if case.text("ended"):
        return f"车辆 {truck} 曾偏离{way}，该行程已结束。"
    metres = case.number("distance_m")
    far = f" {way_of(metres)}" if metres is not None else ""
    return f"车辆 {truck} 偏离{way}{far}。{orders_hit(case)}请联系司机了解原因。"


def wrong_vehicle(case: Case) -> str:
    """load.wrong_vehicle"""
    lpn = case.text("lpn", otherwise=case.subject)
    on = case.text("loaded_on")
    door = case.text("door")
    place = f"在 {door} 道口" if door else ""
    fact = f"托盘 {lpn} {place}被装上" + (f"车辆 {on}" if on else "了错误的车辆")
    right = case.text("belongs_on")
    shipment = case.text("shipment")
    if right:
        fact += f"，应装车辆 {right}" + (f"（运单 {shipment}）" if shipment else "")
    elif shipment:
        fact += f"，应属运单 {shipment}"
    return f"{fact}。{orders_hit(case)}请在发车前卸下。"


_DOUBTS = {
    "too_few_reads": "标签读取次数太少",
    "unclear": "内外两侧读到的信号一样强",
    "eyes_disagree": "光电与天线判断不一致",
    "eyes_saw_nothing": "光电未看到货物通过",
    "restarted": "期间网关重启",
    "stood": "曾长时间停放在门口",
}
"""Why a portal told no direction."""


def undecided(case: Case) -> str:
    """portal.undecided"""
    lpn = case.text("lpn", otherwise=case.subject)
    door = case.text("door")
    where = f" {door} 道口" if door else ""
    doubt = _DOUBTS.get(case.text("reason"))
    why = f"（{doubt}）" if doubt else ""
    return (
        f"托盘 {lpn} 经过{where}通道门，进出方向不明{why}，未记账。{orders_hit(case)}"
        f"请找到托盘并就地扫描，或指定方向：`waystock portal decide {lpn} in|out|none`。"
    )


def short_receipt(case: Case) -> str:
    """receipt.short"""
    supplier = case.text("supplier_zh", "supplier_en")
    whose = f"（{supplier}）" if supplier else " "
    product = case.text("product_zh", "product_en", "gtin", otherwise="货物")
    missing, expected = case.number("missing"), case.number("expected")
    received = case.number("received")
    if missing is None and expected is not None and received is not None:
        missing = expected - received
    fact = f"采购单 {case.subject}{whose}到货短少：{product}"
    fact += f" 缺 {whole(missing)}" if missing is not None else "数量不足"
    if received is not None and expected is not None:
        fact += f"（应收 {whole(expected)}，实收 {whole(received)}）"
    return f"{fact}。{orders_hit(case)}请复点后向供应商索赔。"


def low_stock(case: Case) -> str:
    """stock.low"""
    site, _, gtin = case.subject.partition("/")
    product = case.text("product_zh", "product_en", "gtin", otherwise=gtin or case.subject)
    at = case.text("site_zh", "site_en", otherwise=site if gtin else "")
    on_hand, point = case.number("on_hand"), case.number("reorder_point")
    fact = (f"{at} 的 " if at else "") + f"{product} 库存偏低"
    fact += f"：现有 {whole(on_hand)}" if on_hand is not None else ""
    fact += f"，补货点 {whole(point)}" if point is not None else ""
    expected = case.number("expected")
    if expected is None:
        todo = "请核对在途采购并补货。"
    elif expected > 0:
        todo = f"在途采购 {whole(expected)}，请确认到货时间。"
    else:
        todo = "没有在途采购，请补货。"
    return f"{fact}。{orders_hit(case)}{todo}"


def silent_gateway(case: Case) -> str:
    """gateway.silent"""
    silent_s = case.number("silent_s")
    since = f" {duration(silent_s)}" if silent_s is not None else ""
    seen = case.clock("last_seen")
    since += f"（最后在线 {seen}）" if seen else ""
    return f"网关 {case.subject} 失联{since}。读数仍保存在网关，恢复后补传；请检查电源和网络。"


def dead_letter(case: Case) -> str:
    """ingest.dead_letter"""
    count = case.number("count")
    many = f" {whole(count)} 条" if count is not None else ""
    reason = case.text("reason")
    why = f"：{reason.rstrip('.。')}" if reason else ""
    return f"来自 {case.subject} 的{many}读数被拒收{why}。数据未丢失，已另存；请检查发送的设备。"


def waiting_dead_letters(case: Case) -> str:
    """system.dead_letters"""
    count, gateway = case.number("count"), case.text("gateway")
    at_least = "至少" if case.number("more") else ""
    many = f" {whole(count)} 条" if count is not None else ""
    newest = "" if count == 1 else "最新一条"
    sender = f"，{newest}来自 {gateway}" if gateway else ""
    reason = case.text("reason").rstrip(".。")
    why = f"（{reason}）" if reason else ""
    return (
        f"有{at_least}{many}消息或读数未能入库，等待处理{sender}{why}。数据未丢失。"
        "请用 waystock dead-letter list 查看，排除原因后运行 waystock dead-letter retry --all；"
        "确认无用的用 waystock dead-letter drop 移除。"
    )


def other(case: Case) -> str:
    """A type this version does not know."""
    return f"关于 {case.subject} 的警报。{orders_hit(case)}"


def duration(seconds: float) -> str:
    """A length of time, in whole minutes."""
    minutes = max(1, round(seconds / 60))
    if minutes < 120:
        return f"{minutes} 分钟"
    hours, rest = divmod(minutes, 60)
    return f"{hours} 小时 {rest} 分钟" if rest else f"{hours} 小时"


def way_of(metres: float) -> str:
    """A distance."""
    return f"{metres / 1000:.1f} 公里" if metres >= 1000 else f"{whole(metres)} 米"
