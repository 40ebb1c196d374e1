"""An alert as an operator would say it: one sentence of fact, the orders it hits, what to do.
Upstream: alert rows (type, subject, figures, orders); downstream: `text` of live alerts, notices.

The figures of each type are listed in `waystock.alerts.types`. A figure that is missing shortens
the sentence. Times are told at the figure `time_zone` (the site's), else as UTC, said so.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from waystock.alerts import (
    chinese,
    chinese_delay,
    chinese_road,
    english,
    english_delay,
    english_road,
)
from waystock.alerts.figures import Case, Figures

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_SENTENCES: dict[Language, dict[str, Callable[[Case], str]]] = {
    "en": {
        "shipment.late_predicted": english_delay.late,
        "shipment.late_departure": english_delay.late_departure,
        "shipment.stop_missed": english_delay.stop_missed,
        "shipment.no_show": english_delay.no_show,
        "vehicle.off_route": english.off_route,
        "vehicle.no_go": english_road.no_go,
        "vehicle.dwell": english_road.dwell,
        "vehicle.speeding": english_road.speeding,
        "vehicle.unplanned_stop": english_road.unplanned_stop,
        "vehicle.off_hours": english_road.off_hours,
        "vehicle.no_shipment": english_road.no_shipment,
        "vehicle.temperature": english_road.temperature,
        "vehicle.door_open": english_road.door_open,
        "gps.silent": english_road.gps_silent,
        "gps.jump": english_road.gps_jump,
        "gps.frozen": english_road.gps_frozen,
        "load.wrong_vehicle": english.wrong_vehicle,
        "portal.undecided": english.undecided,
        "dock.wrong_vehicle": english_road.wrong_door,
        "receipt.short": english.short_receipt,
        "stock.low": english.low_stock,
        "gateway.silent": english.silent_gateway,
        "ingest.dead_letter": english.dead_letter,
        "system.dead_letters": english.waiting_dead_letters,
    },
    "zh": {
        "shipment.late_predicted": chinese_delay.late,
        "shipment.late_departure": chinese_delay.late_departure,
        "shipment.stop_missed": chinese_delay.stop_missed,
        "shipment.no_show": chinese_delay.no_show,
        "vehicle.off_route": chinese.off_route,
        "vehicle.no_go": chinese_road.no_go,
        "vehicle.dwell": chinese_road.dwell,
        "vehicle.speeding": chinese_road.speeding,
        "vehicle.unplanned_stop": chinese_road.unplanned_stop,
        "vehicle.off_hours": chinese_road.off_hours,
        "vehicle.no_shipment": chinese_road.no_shipment,
        "vehicle.temperature": chinese_road.temperature,
        "vehicle.door_open": chinese_road.door_open,
        "gps.silent": chinese_road.gps_silent,
        "gps.jump": chinese_road.gps_jump,
        "gps.frozen": chinese_road.gps_frozen,
        "load.wrong_vehicle": chinese.wrong_vehicle,
        "portal.undecided": chinese.undecided,
        "dock.wrong_vehicle": chinese_road.wrong_door,
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
