"""Alerts in English: what happened, whom it hits, what to do. Upstream: `sentence`."""

from waystock.alerts.figures import Case, whole


def orders_hit(case: Case) -> str:
    """` 2 orders are hit: SO-1, SO-2.` or nothing."""
    if not case.orders:
        return ""
    named = case.orders_named(", ", lambda rest: f" and {rest} more")
    count = len(case.orders)
    return f" 1 order is hit: {named}." if count == 1 else f" {count} orders are hit: {named}."


def off_route(case: Case) -> str:
    """vehicle.off_route"""
    truck = case.text("plate", "vehicle", otherwise=case.subject)
    shipment = case.text("shipment")
    way = f"the planned route of shipment {shipment}" if shipment else "its planned route"
    if case.text("ended") == "recovered":
        return f"Truck {truck} is back on {way}."
    if case.text("ended"):
        return f"Truck {truck} was off {way}; that journey is over."
    metres = case.number("distance_m")
    far = way_of(metres) + " off" if metres is not None else "off"
    return f"Truck {truck} is {far} {way}.{orders_hit(case)} Call the driver and ask why."


def wrong_vehicle(case: Case) -> str:
    """load.wrong_vehicle"""
    lpn = case.text("lpn", otherwise=case.subject)
    on = case.text("loaded_on")
    door = case.text("door")
    fact = f"Pallet {lpn} was loaded on " + (f"truck {on}" if on else "the wrong truck")
    fact += f" at door {door}" if door else ""
    right = case.text("belongs_on")
    shipment = case.text("shipment")
    belongs = f" but belongs on truck {right}" if right else ""
    belongs += f" (shipment {shipment})" if right and shipment else ""
    if not right and shipment:
        belongs = f" but belongs to shipment {shipment}"
    todo = " Take it off before the truck leaves."
    return f"{fact}{',' if belongs else ''}{belongs}.{orders_hit(case)}{todo}"


_DOUBTS = {
    "too_few_reads": "its tag was read too seldom",
    "unclear": "both sides heard it equally well",
    "eyes_disagree": "photo-eyes and antennas contradict each other",
    "eyes_saw_nothing": "the photo-eyes saw nothing go through",
    "restarted": "the gateway was restarted meanwhile",
    "stood": "it had stood there for a long time",
}
"""Why a portal told no direction."""


def undecided(case: Case) -> str:
    """portal.undecided"""
    lpn = case.text("lpn", otherwise=case.subject)
    door = case.text("door")
    where = f" at door {door}" if door else ""
    doubt = _DOUBTS.get(case.text("reason"))
    why = f" ({doubt})" if doubt else ""
    return (
        f"Pallet {lpn} was at the portal{where}, but which way it went is not known{why}; nothing "
        f"was booked.{orders_hit(case)} Look where it is and scan it there, or say which way: "
        f"`waystock portal decide {lpn} in|out|none`."
    )


def short_receipt(case: Case) -> str:
    """receipt.short"""
    supplier = case.text("supplier_en")
    whose = f" from {supplier}" if supplier else ""
    product = case.text("product_en", "gtin", otherwise="goods")
    missing, expected = case.number("missing"), case.number("expected")
    received = case.number("received")
    if missing is None and expected is not None and received is not None:
        missing = expected - received
    fact = f"Purchase order {case.subject}{whose} came short"
    fact += f": {whole(missing)} of {product} missing" if missing is not None else f" of {product}"
    if received is not None and expected is not None:
        fact += f" ({whole(received)} of {whole(expected)} received)"
    return f"{fact}.{orders_hit(case)} Count again, then claim it from the supplier."


def low_stock(case: Case) -> str:
    """stock.low"""
    site, _, gtin = case.subject.partition("/")
    product = case.text("product_en", "gtin", otherwise=gtin or case.subject)
    at = case.text("site_en", otherwise=site if gtin else "")
    on_hand, point = case.number("on_hand"), case.number("reorder_point")
    fact = f"{product} runs low" + (f" at {at}" if at else "")
    fact += f": {whole(on_hand)} on hand" if on_hand is not None else ""
    fact += f", reorder point {whole(point)}" if point is not None else ""
    expected = case.number("expected")
    if expected is None:
        todo = " Check what is on order and reorder."
    elif expected > 0:
        todo = f" {whole(expected)} are on order: check when they come."
    else:
        todo = " Nothing is on order: reorder."
    return f"{fact}.{orders_hit(case)}{todo}"


def silent_gateway(case: Case) -> str:
    """gateway.silent"""
    silent_s = case.number("silent_s")
    since = f" for {duration(silent_s)}" if silent_s is not None else ""
    seen = case.clock("last_seen")
    since += f" (last seen {seen})" if seen else ""
    return (
        f"Gateway {case.subject} has not been heard of{since}. "
        "Its readings are kept there and will follow; check its power and network."
    )


def dead_letter(case: Case) -> str:
    """ingest.dead_letter"""
    count = case.number("count")
    many = f"{whole(count)} readings" if count is not None and count != 1 else "A reading"
    verb = "were" if many != "A reading" else "was"
    reason = case.text("reason")
    why = f": {reason.rstrip('.')}" if reason else ""
    return (
        f"{many} from {case.subject} {verb} refused{why}. "
        "Nothing is lost, it is kept aside; look at the device that sent it."
    )


def waiting_dead_letters(case: Case) -> str:
    """system.dead_letters"""
    count, gateway = case.number("count"), case.text("gateway")
    reason = case.text("reason").rstrip(".")
    why = f" ({reason})" if reason else ""
    if count == 1:
        sender = f" from {gateway}" if gateway else ""
        fact = f"1 message or reading{sender} could not be taken in and waits for you{why}"
    else:
        many = f"{whole(count)} messages" if count is not None else "Messages"
        more = " or more" if case.number("more") else ""
        newest = f", the newest from {gateway}" if gateway else ""
        fact = f"{many} or readings{more} could not be taken in and wait for you{newest}{why}"
    return (
        f"{fact}. Nothing is lost. Look with `waystock dead-letter list`, mend the cause, then run "
        "`waystock dead-letter retry --all`; drop what nobody needs."
    )


def other(case: Case) -> str:
    """A type this version does not know."""
    return f"Alert about {case.subject}.{orders_hit(case)}"


def duration(seconds: float) -> str:
    """A length of time, in whole minutes."""
    minutes = max(1, round(seconds / 60))
    if minutes < 120:
        return f"{minutes} minute" + ("" if minutes == 1 else "s")
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} hours"


def way_of(metres: float) -> str:
    """A distance."""
    return f"{metres / 1000:.1f} km" if metres >= 1000 else f"{whole(metres)} m"
