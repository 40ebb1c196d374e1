"""Topics: a foreign topic must never be taken for a gateway's."""

import pytest

from waystock.contract.topics import gateway_topic, live_topic, parse_gateway_topic


def test_a_topic_is_taken_apart_as_it_was_built() -> None:
    owner = parse_gateway_topic(gateway_topic("sha", "gw-dock", "events"))
    assert owner == ("sha", "gw-dock", "events")


@pytest.mark.parametrize(
    "topic",
    [
        "waystock/v1/sha/gw-dock",
        "waystock/v1/sha/gw-dock/events/more",
        "waystock/v2/sha/gw-dock/events",
        "waystock/v1/sha/GW/events",
        "waystock/v1/live/sha/stock",
        "waystock/v1/live/gw/events",
        "waystock/v1/sha/gw-dock/orders",
        "",
    ],
)
def test_what_is_no_gateway_topic_is_told_apart(topic: str) -> None:
    assert parse_gateway_topic(topic) is None


def test_an_unusable_name_is_said_when_the_topic_is_built() -> None:
    with pytest.raises(ValueError, match="gateway 'GW 1'"):
        gateway_topic("sha", "GW 1", "events")
    with pytest.raises(ValueError, match="site"):
        live_topic("Shanghai!", "stock")
