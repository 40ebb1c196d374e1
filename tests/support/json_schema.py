"""A validator for the part of JSON Schema 2020-12 that the published contract uses. A keyword it
doesn't know is an error, so nothing can stand in the contract that the tests don't check.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

Schema = dict[str, Any]

SAYS_NOTHING = {
    "$defs", "$id", "$schema", "default", "description", "discriminator", "examples", "title",
}  # fmt: skip
DATE_TIME = re.compile(
    r"\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}


def is_valid(document: Schema, value: Any) -> bool:
    """Whether `value`, decoded JSON, is what the document's root describes."""
    return not problems(document, value)


def problems(document: Schema, value: Any) -> list[str]:
    """What is wrong with `value`; empty: nothing."""
    return list(_problems(document, value, document, "$"))


def _problems(schema: Schema | bool, value: Any, document: Schema, spot: str) -> Iterator[str]:
    if isinstance(schema, bool):
        if not schema:
            yield f"{spot}: nothing may stand here"
        return
    for keyword, argument in schema.items():
        if keyword in SAYS_NOTHING:
            continue
        if keyword in SIMPLE:
            if not SIMPLE[keyword](argument, value):
                yield f"{spot}: {json.dumps(value)[:80]} against {keyword} {argument}"
        else:
            yield from NESTED[keyword](schema, value, document, spot)


def _reference(schema: Schema, value: Any, document: Schema, spot: str) -> Iterator[str]:
    assert schema["$ref"].startswith("#/$defs/"), schema
    yield from _problems(document["$defs"][schema["$ref"][8:]], value, document, spot)


def _any_of(schema: Schema, value: Any, document: Schema, spot: str) -> Iterator[str]:
    if not _holding(schema["anyOf"], value, document, spot):
        yield f"{spot}: {json.dumps(value)[:80]} is none of the alternatives"


def _one_of(schema: Schema, value: Any, document: Schema, spot: str) -> Iterator[str]:
    holding = _holding(schema["oneOf"], value, document, spot)
    if holding != 1:
        yield f"{spot}: {json.dumps(value)[:80]} is {holding} of the alternatives"


def _holding(alternatives: list[Schema], value: Any, document: Schema, spot: str) -> int:
    return sum(not list(_problems(one, value, document, spot)) for one in alternatives)


def _properties(schema: Schema, value: Any, document: Schema, spot: str) -> Iterator[str]:
    for name, inner in schema["properties"].items():
        if isinstance(value, dict) and name in value:
            yield from _problems(inner, value[name], document, f"{spot}.{name}")


def _additional(schema: Schema, value: Any, document: Schema, spot: str) -> Iterator[str]:
    for name in set(value) - set(schema.get("properties", {})) if isinstance(value, dict) else ():
        inner = schema["additionalProperties"]
        yield from _problems(inner, value[name], document, f"{spot}.{name}")


def _names(schema: Schema, value: Any, document: Schema, spot: str) -> Iterator[str]:
    for name in value if isinstance(value, dict) else ():
        yield from _problems(schema["propertyNames"], name, document, f"{spot}.{name}")


def _items(schema: Schema, value: Any, document: Schema, spot: str) -> Iterator[str]:
    after = len(schema.get("prefixItems", ()))
    for at, item in enumerate(value[after:] if isinstance(value, list) else (), after):
        yield from _problems(schema["items"], item, document, f"{spot}[{at}]")


def _prefix_items(schema: Schema, value: Any, document: Schema, spot: str) -> Iterator[str]:
    pairs = zip(schema["prefixItems"], value, strict=False) if isinstance(value, list) else ()
    for at, (inner, item) in enumerate(pairs):
        yield from _problems(inner, item, document, f"{spot}[{at}]")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _is_same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _is_of_format(name: str, value: Any) -> bool:
    if not isinstance(value, str):
        return True
    return {"date-time": lambda text: bool(DATE_TIME.fullmatch(text)), "uuid": _is_uuid}[name](
        value
    )


def _of_ecma(pattern: str) -> str:
    """`$` is the very end there, but may stand before a last line feed in Python."""
    return pattern.replace("$", r"\Z")


def _if(kind: str, check: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A keyword that speaks of one type only lets all others pass."""
    return lambda argument, value: not TYPES[kind](value) or check(argument, value)


SIMPLE: dict[str, Callable[[Any, Any], bool]] = {
    "type": lambda argument, value: TYPES[argument](value),
    "const": _is_same,
    "enum": lambda argument, value: any(_is_same(one, value) for one in argument),
    "format": _is_of_format,
    "pattern": _if("string", lambda pattern, text: bool(re.search(_of_ecma(pattern), text))),
    "maxLength": _if("string", lambda most, text: len(text) <= most),
    "minimum": _if("number", lambda least, value: value >= least),
    "maximum": _if("number", lambda most, value: value <= most),
    "minItems": _if("array", lambda least, items: len(items) >= least),
    "maxItems": _if("array", lambda most, items: len(items) <= most),
    "required": _if("object", lambda names, value: set(names) <= set(value)),
}
NESTED: dict[str, Callable[[Schema, Any, Schema, str], Iterator[str]]] = {
    "$ref": _reference,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "items": _items,
    "prefixItems": _prefix_items,
}
