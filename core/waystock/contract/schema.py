"""The contract as JSON Schema (2020-12), made from the structs that encode and decode it. msgspec
derives most of it; put in here is what a type alone can't say: what lies inside raw JSON, the keys
of dictionaries, GeoJSON, and the sentences below fields. Downstream: asyncapi, the command
`waystock contract`, and docs/contract.
"""

import copy
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeGuard

import msgspec

from waystock.contract import acks, events, frames, identifiers, limits, live, masterdata
from waystock.contract.acks import Ack, Hello, Status
from waystock.contract.descriptions import Descriptions, read_descriptions
from waystock.contract.events import CONTRACT_VERSION, Batch, Event
from waystock.contract.frames import ClientFrame, ServerFrame
from waystock.contract.live import ENTITY_TYPES, LiveMessage
from waystock.contract.masterdata import MasterData, Words

_MODULES = (acks, events, frames, identifiers, limits, live, masterdata)

Schema = dict[str, Any]
"""A JSON Schema, or a part of one."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LOCAL = "#/$defs/"


class Document(NamedTuple):
    """One published file: what it is about, and the definition at its root."""

    name: str
    title: str
    root: str


DOCUMENTS = (
    Document("batch", "A batch of readings, from gateway to ingest", "Batch"),
    Document("event", "One reading", "Event"),
    Document("hello", "A gateway asks what is committed", "Hello"),
    Document("ack", "Offsets that are committed, from ingest to gateway", "Ack"),
    Document("status", "What a gateway says of itself, retained", "Status"),
    Document("live", "Entities that changed, after commit", "LiveMessage"),
    Document("websocket", "Frames of the WebSocket /api/v1/live", "Frame"),
    Document("masterdata", "Sites, products, devices, orders: one document", "MasterData"),
)


def documents() -> dict[str, Schema]:
    """Each published schema by its name, complete in itself."""
    known = definitions()
    return {document.name: _document(document, known) for document in DOCUMENTS}


def message_name(stream: str) -> str:
    """The definition of a live message of this stream: `StockMessage`."""
    return f"{stream.capitalize()}Message"


def definitions() -> dict[str, Schema]:
    """Every type that crosses the wire, by name; they refer to one another under `#/$defs/`."""
    wholes = (Batch, Hello, Ack, Status, LiveMessage, MasterData)
    unions = (Event, ClientFrame, ServerFrame)
    roots, made = msgspec.json.schema_components(
        (*wholes, *ENTITY_TYPES.values(), *unions), ref_template=LOCAL + "{name}"
    )
    known: dict[str, Schema] = {name: rewritten(schema, _constant) for name, schema in made.items()}
    for name, union in zip(("Event", "ClientFrame", "ServerFrame"), roots[-3:], strict=True):
        known[name] = _one_of(rewritten(union, _constant))
    known["Batch"]["properties"]["events"]["items"] = _ref("Event")
    known["Frame"] = {"anyOf": [_ref("ClientFrame"), _ref("ServerFrame")]}
    _add_entities(known)
    _add_word_languages(known)
    known["Geometry"] = _geometry()
    known["Fence"]["properties"]["geometry"] = _ref("Geometry")
    _describe(known, read_descriptions(*_MODULES))
    return dict(sorted(known.items()))


def _constant(schema: Schema) -> Schema:
    """`const` for an `enum` of one, which is how a reader tells alternatives apart."""
    match schema.get("enum"):
        case [only]:
            return {"const": only} | {key: schema[key] for key in schema if key != "enum"}
        case _:
            return schema


def _one_of(union: Schema) -> Schema:
    """Each alternative has a constant of its own, so exactly one can hold."""
    return {"oneOf": union["anyOf"], "discriminator": union["discriminator"]}


def _add_entities(known: dict[str, Schema]) -> None:
    """What lies in the raw JSON of live messages and frames."""
    known["GoneEntity"] = {
        "title": "GoneEntity",
        "description": "An entity that is no more; `gone` true outweighs whatever else is there.",
        "type": "object",
        "properties": {
            "key": {"type": "string"},
            "version": {"type": "integer"},
            "gone": {"const": True},
        },
        "required": ["key", "version", "gone"],
    }
    template = known.pop("LiveMessage")
    for stream, entity in ENTITY_TYPES.items():
        message = copy.deepcopy(template)
        message["title"] = message_name(stream)
        message["description"] = f"What goes out on `waystock/v1/live/{{site}}/{stream}`."
        message["properties"]["entities"]["items"] = {
            "anyOf": [_ref(entity.__name__), _ref("GoneEntity")]
        }
        known[message_name(stream)] = message
    known["LiveMessage"] = {
        "title": "LiveMessage",
        "description": "One of these; the last part of its topic says which.",
        "anyOf": [_ref(message_name(stream)) for stream in ENTITY_TYPES],
    }
    known["Entity"] = {
        "title": "Entity",
        "description": "One of these; the channel of the subscription says which.",
        "anyOf": [_ref(entity.__name__) for entity in ENTITY_TYPES.values()],
    }
    known["SnapFrame"]["properties"]["d"]["items"] = _ref("Entity")
    known["DeltaFrame"]["properties"]["up"]["items"] = _ref("Entity")


def _add_word_languages(known: dict[str, Schema]) -> None:
    """msgspec checks the keys of `Words` but leaves them out of the schema."""
    for struct in (getattr(masterdata, name, None) for name in known):
        if not isinstance(struct, type) or not issubclass(struct, msgspec.Struct):
            continue
        for field in msgspec.structs.fields(struct):
            if field.type == Words:
                words = known[struct.__name__]["properties"][field.encode_name]
                words["propertyNames"] = {"enum": ["en", "zh"]}


def _geometry() -> Schema:
    point: Schema = {
        "type": "array",
        "prefixItems": [
            {"type": "number", "minimum": -180, "maximum": 180},
            {"type": "number", "minimum": -90, "maximum": 90},
        ],
        "minItems": 2,
    }
    ring: Schema = {"type": "array", "items": point, "minItems": 4}
    polygon: Schema = {"type": "array", "items": ring, "minItems": 1}
    many: Schema = {"type": "array", "items": polygon, "minItems": 1}
    return {
        "title": "Geometry",
        "description": "GeoJSON (RFC 7946), WGS 84: points are [lon, lat], rings are closed.",
        "oneOf": [
            {
                "type": "object",
                "properties": {"type": {"const": name}, "coordinates": coordinates},
                "required": ["type", "coordinates"],
            }
            for name, coordinates in (("Polygon", polygon), ("MultiPolygon", many))
        ],
    }


def _describe(known: dict[str, Schema], told: Descriptions) -> None:
    for name, schema in known.items():
        struct = _struct(name) if "properties" in schema else None
        for owner in reversed(struct.__mro__ if struct else ()):
            for field, sentence in told.fields.get(owner.__name__, {}).items():
                schema["properties"][field]["description"] = sentence


def _struct(name: str) -> type | None:
    """The struct that a definition is of; live messages are of one struct."""
    if name.endswith("Message"):
        return LiveMessage
    modules: tuple[types.ModuleType, ...] = (events, acks, live, frames, limits, masterdata)
    found = (getattr(module, name, None) for module in modules)
    return next((one for one in found if isinstance(one, type)), None)


def _document(document: Document, known: dict[str, Schema]) -> Schema:
    names = sorted(_reachable(document.root, known))
    return {
        "$schema": DIALECT,
        "$id": f"urn:waystock:contract:v{CONTRACT_VERSION}:{document.name}",
        "title": document.title,
        "$ref": LOCAL + document.root,
        "$defs": {name: known[name] for name in names},
    }


def _reachable(root: str, known: dict[str, Schema]) -> set[str]:
    found: set[str] = set()
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += references(known[name])
    return found


def references(schema: object) -> Iterator[str]:
    """Names of the definitions that a schema refers to."""
    if _is_object(schema):
        for key, value in schema.items():
            if key == "$ref":
                yield str(value).removeprefix(LOCAL)
            else:
                yield from references(value)
    elif _is_list(schema):
        for item in schema:
            yield from references(item)


def rewritten(schema: Any, change: Callable[[Schema], Schema]) -> Any:
    """A copy with each object in it changed, the inner ones first."""
    if _is_object(schema):
        return change({key: rewritten(value, change) for key, value in schema.items()})
    if _is_list(schema):
        return [rewritten(item, change) for item in schema]
    return schema


def _is_object(value: object) -> TypeGuard[Schema]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _ref(name: str) -> Schema:
    return {"$ref": LOCAL + name}
