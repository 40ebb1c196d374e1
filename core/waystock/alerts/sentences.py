"""An alert as an operator would say it: one sentence of fact, the orders it hits, what to do.
Upstream: alert rows (type, subject, figures, orders); downstream: `text` of live alerts, notices.

The figures of each type are listed in `waystock.alerts.types`. A figure that is missing shortens
the sentence. Times are told at the figure `time_zone` (the site's), else as UTC, said so.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from waystock.alerts import chinese, chinese_road, english, english_road
from waystock.alerts.figures import Case, Figures

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_SENTENCES: dict[Language, dict[str, Callable[[Case], str]]] = {
    "en": {
        "shipment.late_predicted": english.late,
        "vehicle.off_route": english.off_route,
        "vehicle.no_go": english_road.no_go,
        "vehicle.dwell": english_road.dwell,
        "vehicle.speeding": english_road.speeding,
        "vehicle.unplanned_stop": english_road.unplanned_stop,
        "gps.silent": english_road.gps_silent,
        "gps.jump": english_road.gps_jump,
        "gps.frozen": english_road.gps_frozen,
        "load.wrong_vehicle": english.wrong_vehicle,
        "portal.undecided": english.undecided,
        "receipt.short": english.short_receipt,
        "stock.low": english.low_stock,
        "gateway.silent": english.silent_gateway,
        "ingest.dead_letter": english.dead_letter,
        "system.dead_letters": english.waiting_dead_letters,
    },
    "zh": {
        "shipment.late_predicted": chinese.late,
        "vehicle.off_route": chinese.off_route,
        "vehicle.no_go": chinese_road.no_go,
        "vehicle.dwell": chinese_road.dwell,
        "vehicle.speeding": chinese_road.speeding,
        "vehicle.unplanned_stop": chinese_road.unplanned_stop,
        "gps.silent": chinese_road.gps_silent,
        "gps.jump": chinese_road.gps_jump,
        "gps.frozen": chinese_road.gps_frozen,
        "load.wrong_vehicle": chinese.wrong_vehicle,
        "portal.undecided": chinese.undecided,
        "receipt.short": chinese.short_receipt,
        "stock.low": chinese.low_stock,
        "gateway.silent": chinese.silent_gateway,
        "ingest.dead_letter": chinese.dead_letter,
        "system.dead_letters": chinese.waiting_dead_letters,
    },
}
_OTHERWISE: dict[Language, Callable[[Case], str]] = {"en": english.other, "zh": chinese.other}


def sentence(
    alert_type: str, subject: str, figures: Figures, orders: Sequence[str], language: Language
) -> str:
    """The alert in words; `orders` are named, most urgent first. KeyError on another language."""
    say = _SENTENCES[language].get(alert_type, _OTHERWISE[language])
    return say(Case(subject, figures, orders))


def sentences(
    alert_type: str, subject: str, figures: Figures, orders: Sequence[str]
) -> dict[str, str]:
    """The same in every language of the product, as `AlertEntity.text` wants it."""
    return {code: sentence(alert_type, subject, figures, orders, code) for code in LANGUAGES}
