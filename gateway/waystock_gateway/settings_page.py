"""`waystock gateway settings`: every setting with its kind, default and meaning, as a Markdown
page, told from the settings' own code. What docs/gateway-settings.md is made of and held against.
"""

import json
import sys
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from waystock.contract.descriptions import read_descriptions
from waystock_gateway.settings import Settings

_HEAD = """# Settings of a gateway

One TOML file, checked whole by `waystock gateway check --config FILE` before anything is opened;
SIGHUP has a running gateway read it again. This page is printed by `waystock gateway settings`.
一个 TOML 文件；启动前整体检查；收到 SIGHUP 后重新读取。本页由 `waystock gateway settings` 生成。
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_table(name, table) for name, table in _tables(Settings, ""))


def print_page() -> int:
    sys.stdout.write(page())
    return 0


def undescribed() -> list[str]:
    """Settings that no sentence explains."""
    return [
        f"{table}.{field.name}"
        for table, struct in _tables(Settings, "")
        for field in msgspec.structs.fields(struct)
        if _struct(field.type) is None and not _sentence(struct, field.name)
    ]


def _tables(struct: type[msgspec.Struct], name: str) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Each table of the file by its name in it, outermost first."""
    if name:
        yield name, struct
    for field in msgspec.structs.fields(struct):
        inner = _struct(field.type)
        if inner is not None:
            yield from _tables(inner, f"{name}.{field.name}".lstrip("."))


def _table(name: str, struct: type[msgspec.Struct]) -> str:
    rows = [
        f"| `{field.name}` | {_kind(field.type)} | {_default(field)}"
        f" | {_sentence(struct, field.name)} |\n"
        for field in msgspec.structs.fields(struct)
        if _struct(field.type) is None
    ]
    if not rows:
        return ""
    return (
        f"\n## `{name}`\n\n| setting | kind | default | meaning |\n|---|---|---|---|\n"
        + "".join(rows)
    )


def _struct(kind: Any) -> type[msgspec.Struct] | None:
    """The table below, of a field that is one, or a list of them."""
    inner = get_args(kind)[0] if get_origin(kind) is tuple else kind
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        return inner
    return None


def _sentence(struct: type[msgspec.Struct], field: str) -> str:
    """What stands below the field in the code, a pipe made harmless for the table."""
    said = next(filter(None, (_said(kind, field) for kind in struct.__mro__)), "")
    defaults = {known.name: known.default for known in msgspec.structs.fields(struct)}
    if not said and defaults[field] == field:
        return "Which field of the message holds it."
    return said.replace("|", "\\|")


def _said(struct: type, field: str) -> str:
    if not issubclass(struct, msgspec.Struct) or struct is msgspec.Struct:
        return ""
    found = read_descriptions(sys.modules[struct.__module__]).fields
    return found.get(struct.__name__, {}).get(field, "")


def _kind(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is Annotated:
        return _kind(get_args(kind)[0])
    if origin is Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in get_args(kind))
    if origin is tuple:
        return f"list of {_kind(get_args(kind)[0])}"
    if origin in {Union, UnionType}:
        return " or ".join(_kind(one) for one in get_args(kind) if one is not type(None))
    names = {str: "text", float: "number", int: "whole number", bool: "true or false"}
    return names.get(kind, "table" if origin is dict else str(kind))


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**needed**"
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "" if default is None else f"`{json.dumps(default, ensure_ascii=False)}`"
