"""MQTT topics of the wire contract, built and taken apart in one place."""

from typing import Literal, NamedTuple

from waystock.contract.identifiers import check_name, is_name

ROOT = "waystock/v1"

Channel = Literal["events", "hello", "ack", "status"]
CHANNELS: tuple[Channel, ...] = ("events", "hello", "ack", "status")

LiveStream = Literal["stock", "transit", "alerts", "health", "kpi", "movements"]
LIVE_STREAMS: tuple[LiveStream, ...] = (
    "stock",
    "transit",
    "alerts",
    "health",
    "kpi",
    "movements",
)

ALL_EVENTS = f"{ROOT}/+/+/events"
ALL_HELLOS = f"{ROOT}/+/+/hello"
ALL_STATUSES = f"{ROOT}/+/+/status"
ALL_LIVE = f"{ROOT}/live/+/+"


class GatewayTopic(NamedTuple):
    """Who a topic belongs to and what it carries."""

    site: str
    gateway: str
    channel: Channel


def gateway_topic(site: str, gateway: str, channel: Channel) -> str:
    """`waystock/v1/{site}/{gateway}/{channel}`; ValueError on an unusable name."""
    return f"{ROOT}/{check_name(site, 'site')}/{check_name(gateway, 'gateway')}/{channel}"


def command_topic(site: str, gateway: str) -> str:
    """`waystock/v1/{site}/{gateway}/command`: signed orders, to gateways that allow them."""
    return f"{ROOT}/{check_name(site, 'site')}/{check_name(gateway, 'gateway')}/command"


def parse_gateway_topic(topic: str) -> GatewayTopic | None:
    """The parts of a gateway's topic, or None for any topic that is not one."""
    parts = topic.split("/")
    if len(parts) != 5 or f"{parts[0]}/{parts[1]}" != ROOT:
        return None
    _, _, site, gateway, channel = parts
    if channel not in CHANNELS or not is_name(site) or not is_name(gateway) or site == "live":
        return None
    return GatewayTopic(site, gateway, channel)


def push_topic(site: str) -> str:
    """`waystock/v1/push/{site}`: alerts that people of the site are to be told of."""
    return f"{ROOT}/push/{check_name(site, 'site')}"


def live_topic(site: str, stream: LiveStream) -> str:
    """`waystock/v1/live/{site}/{stream}`: deltas after commit."""
    return f"{ROOT}/live/{check_name(site, 'site')}/{stream}"
