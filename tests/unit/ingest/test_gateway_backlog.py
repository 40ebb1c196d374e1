"""The backlog in the gateways, as an operator sees it."""

from datetime import UTC, datetime

from waystock.contract.acks import STATUS_LEASE_S, Status
from waystock_ingest.gateway_backlog import GatewayBacklog

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def figures(backlog: GatewayBacklog) -> dict[str, float]:
    return {
        family.name.removeprefix("waystock_ingest_gateways_"): family.samples[0].value
        for family in backlog.collect()
    }


def test_a_gateway_that_fell_silent_is_not_online_but_what_waits_in_it_is_not_forgotten() -> None:
    mono_s = 0.0
    backlog = GatewayBacklog(lambda: mono_s)
    assert figures(backlog) == {"online": 0, "waiting_events": 0, "oldest_unsent_seconds": 0}
    status = Status(state="online", at=NOW, queue_depth=5, oldest_unsent_s=3.0)
    backlog.heard("sha", "gw-1", status)
    assert figures(backlog) == {"online": 1, "waiting_events": 5, "oldest_unsent_seconds": 3}
    mono_s = STATUS_LEASE_S + 1
    assert figures(backlog) == {"online": 0, "waiting_events": 5, "oldest_unsent_seconds": 3}


def test_the_last_word_of_a_gateway_replaces_the_one_before() -> None:
    backlog = GatewayBacklog(lambda: 0.0)
    for depth in (9, 4):
        backlog.heard("sha", "gw-1", Status(state="online", at=NOW, queue_depth=depth))
    assert figures(backlog)["waiting_events"] == 4
