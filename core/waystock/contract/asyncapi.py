"""The contract as AsyncAPI 3.0: which message travels on which MQTT topic or WebSocket, which way,
with what guarantee; told from the side of Waystock's servers (they receive events and send acks).
Upstream: schema; downstream: the command `waystock contract` and docs/contract.
"""

from typing import Any

from waystock.contract import schema
from waystock.contract.events import BATCH_BYTES_MAX, CONTRACT_VERSION, EVENTS_PER_BATCH_MAX
from waystock.contract.examples import messages as example_messages
from waystock.contract.frames import LIVE_PATH, SESSION_COOKIE
from waystock.contract.identifiers import NAME_PATTERN
from waystock.contract.schema import LOCAL, Schema
from waystock.contract.topics import LIVE_STREAMS, ROOT

VERSION = "3.0.0"
CLIENT_FRAMES = ("AuthFrame", "SubFrame", "UnsubFrame", "AckFrame")
SERVER_FRAMES = ("SnapFrame", "DeltaFrame", "BeatFrame", "ErrorFrame")
DEFLATED = "DeflatedBatch"

PARAMETERS = {
    "site": "`fleet` stands for what belongs to no one site; a gateway's may not be `live`.",
    "gateway": "One of this site; its broker account should reach its own topics only.",
}
GATEWAY_CHANNELS = {
    "events": ("Readings of one gateway, in batches.", ("Batch", DEFLATED)),
    "hello": ("A gateway asks what is committed, after it has (re)connected.", ("Hello",)),
    "ack": ("What is committed: the gateway may forget it.", ("Ack",)),
    "status": (
        "Retained: birth, health every 30 s, and the last will. Older than 90 s it means nothing.",
        ("Status",),
    ),
}


def asyncapi() -> dict[str, Any]:
    """The whole document; complete in itself."""
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Waystock wire contract",
            "version": f"{CONTRACT_VERSION}.0.0",
            "description": "What gateways send and get over MQTT, and screens over a WebSocket.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": _messages(),
            "schemas": {
                name: schema.rewritten(definition, _as_draft_07)
                for name, definition in schema.definitions().items()
            },
            "securitySchemes": _security_schemes(),
        },
    }


def _servers() -> dict[str, Any]:
    return {
        "broker": {
            "host": "localhost:1883",
            "protocol": "mqtt",
            "description": "The MQTT broker of the installation; 3.1.1 or 5, mqtts outside of it.",
            "security": [_ref("securitySchemes", "account")],
        },
        "api": {
            "host": "localhost:8000",
            "protocol": "ws",
            "description": "`waystock api`; wss where TLS ends before it.",
            "security": [_ref("securitySchemes", name) for name in ("token", "session")],
        },
    }


def _security_schemes() -> dict[str, Any]:
    return {
        "account": {"type": "userPassword", "description": "An account of the broker."},
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "From `waystock api token add`; or in the first frame, `auth`.",
        },
        "session": {
            "type": "httpApiKey",
            "in": "cookie",
            "name": SESSION_COOKIE,
            "description": "From POST /api/v1/login; the page's Origin must be allowed.",
        },
    }


def _channels() -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for name, (description, messages) in GATEWAY_CHANNELS.items():
        address = f"{ROOT}/{{site}}/{{gateway}}/{name}"
        channels[name] = _mqtt_channel(address, description, messages, ("site", "gateway"))
    for stream in LIVE_STREAMS:
        address = f"{ROOT}/live/{{site}}/{stream}"
        description = f"Entities of the stream `{stream}` that changed, after commit."
        messages = (schema.message_name(stream),)
        channels[_live(stream)] = _mqtt_channel(address, description, messages, ("site",))
    channels["push"] = _mqtt_channel(
        f"{ROOT}/push/{{site}}",
        "Alerts that people are to be told of, each once, after quiet hours those still open.",
        (schema.message_name("alerts"),),
        ("site",),
    )
    channels["screen"] = {
        "address": LIVE_PATH,
        "description": "Text frames, one JSON object each: snapshots, then deltas.",
        "servers": [{"$ref": "#/servers/api"}],
        "messages": _message_refs((*CLIENT_FRAMES, *SERVER_FRAMES)),
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
    }
    return channels


def _mqtt_channel(
    address: str, description: str, messages: tuple[str, ...], parameters: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "servers": [{"$ref": "#/servers/broker"}],
        "parameters": {
            name: {"description": f"`{NAME_PATTERN}`. {PARAMETERS[name]}"} for name in parameters
        },
        "messages": _message_refs(messages),
    }


def _operations() -> dict[str, Any]:
    operations: dict[str, Any] = {
        "receiveEvents": _mqtt_operation("receive", "events", 1, "Store them, then acknowledge."),
        "receiveHello": _mqtt_operation("receive", "hello", 1, "Answered on the ack topic."),
        "sendAck": _mqtt_operation("send", "ack", 1, "After commit, and after each hello."),
        "receiveStatus": _mqtt_operation("receive", "status", 1, "Keep it.", retain=True),
    }
    reply = {"channel": {"$ref": "#/channels/ack"}, "messages": [_message("ack", "Ack")]}
    for name in ("receiveEvents", "receiveHello"):
        operations[name]["reply"] = reply
    for stream in LIVE_STREAMS:
        operations[f"send{schema.message_name(stream)}"] = _mqtt_operation(
            "send", _live(stream), 0, "A gap in `seq` is mended by a reload from the store."
        )
    operations["sendPush"] = _mqtt_operation(
        "send", "push", 1, "For what wakes people; repeated if the broker was not heard to take it."
    )
    for name, action, frames in (
        ("receiveFrames", "receive", CLIENT_FRAMES),
        ("sendFrames", "send", SERVER_FRAMES),
    ):
        operations[name] = {
            "action": action,
            "channel": {"$ref": "#/channels/screen"},
            "messages": [_message("screen", frame) for frame in frames],
        }
    return operations


def _mqtt_operation(
    action: str, channel: str, qos: int, summary: str, *, retain: bool = False
) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "bindings": {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": "0.2.0"}},
    }


def _messages() -> dict[str, Any]:
    known = schema.definitions()
    messages: dict[str, Any] = {
        name: {
            "name": name,
            "summary": known[name].get("description", name),
            "payload": _ref("schemas", name),
            "examples": [{"name": name, "payload": example}],
        }
        for name, example in example_messages().items()
    }
    messages["Batch"]["description"] = (
        f"At most {EVENTS_PER_BATCH_MAX} events and {BATCH_BYTES_MAX} bytes."
    )
    messages[DEFLATED] = {
        "name": DEFLATED,
        "summary": "A batch in the form of zlib (RFC 1950), told apart by its first byte, 0x78.",
        "contentType": "application/zlib",
        "payload": {"type": "string", "format": "binary"},
    }
    return dict(sorted(messages.items()))


def _as_draft_07(part: Schema) -> Schema:
    """AsyncAPI's schemas are draft 07: other words for tuples, other places for definitions."""
    out = {key: value for key, value in part.items() if key != "discriminator"}
    if isinstance(out.get("$ref"), str):
        out["$ref"] = out["$ref"].replace(LOCAL, "#/components/schemas/", 1)
    if isinstance(out.get("prefixItems"), list):
        rest = out.pop("items", None)
        out["items"] = out.pop("prefixItems")
        if rest is not None:
            out["additionalItems"] = rest
    return out


def _live(stream: str) -> str:
    return f"live{stream.capitalize()}"


def _message_refs(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _ref("messages", name) for name in names}


def _message(channel: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{channel}/messages/{name}"}


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
