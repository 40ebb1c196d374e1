"""One episode has one name, whoever writes it down and when."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from waystock.alerts.types import ALERT_TYPES, alert_id, rank_of, severity_of

OPENED = datetime(2026, 11, 23, 3, 42, tzinfo=UTC)


def test_the_same_facts_give_the_same_name_in_any_time_zone() -> None:
    shanghai = OPENED.astimezone(timezone(timedelta(hours=8)))
    named = alert_id("stock.low", "sha/09501101530003", OPENED)
    assert named == alert_id("stock.low", "sha/09501101530003", shanghai)
    # Stored rows are found by this name: it must not change between versions.
    assert named == "b32e0ca7f9a852b0a8f77ffeb46aca6a"


def test_another_type_subject_or_start_is_another_alert() -> None:
    names = {
        alert_id("stock.low", "a", OPENED),
        alert_id("receipt.short", "a", OPENED),
        alert_id("stock.low", "b", OPENED),
        alert_id("stock.low", "a", OPENED + timedelta(microseconds=1)),
    }
    assert len(names) == 4


def test_what_breaks_orders_comes_before_what_merely_needs_a_look() -> None:
    ranks = [rank_of(alert.type) for alert in ALERT_TYPES]
    assert ranks == sorted(ranks)
    assert ALERT_TYPES[0].type == "shipment.late_predicted"
    assert rank_of("made.up") == len(ALERT_TYPES)
    assert severity_of("load.wrong_vehicle") == "critical"
    with pytest.raises(KeyError):
        severity_of("made.up")
