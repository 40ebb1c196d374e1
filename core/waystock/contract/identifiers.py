"""Names that travel in topics and rows: sites, gateways, devices, vehicles."""

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

NAME_PATTERN = r"^[a-z0-9-]{1,64}(?!\n)$"
"""Python's `$` alone would let a line feed pass at the end; other languages read it the same."""
_NAME = re.compile(NAME_PATTERN)

Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
"""A site, gateway, device or vehicle: 1–64 of lower-case letters, digits and hyphens."""

Utc = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant with its offset; written in UTC with microseconds."""


def is_name(text: str) -> bool:
    """Whether `text` may name a site, gateway, device or vehicle."""
    return _NAME.fullmatch(text) is not None


def check_name(text: str, what: str) -> str:
    """`text` itself, or ValueError saying what was wrong with `what` and what would be right."""
    if not is_name(text):
        raise ValueError(
            f"{what} {text!r} is not a usable name: 1 to 64 lower-case letters, digits and hyphens"
        )
    return text


def iso_utc(instant: datetime) -> str:
    """`2026-11-23T06:01:02.500000Z`: always UTC with six decimals, so that text sorts by time."""
    # Not by strftime: its %Y writes the year 999 in three digits.
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
