"""Pages of a list: `?limit=` and `?cursor=`, answered as {"items": […], "next": cursor or null}.
The cursor is the key of the last row, so rows that come or go meanwhile shift nothing.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from waystock.store.api import Key, Resource, UnusableValueError, fetch_page
from waystock.store.pool import StorePool

LIMIT_DEFAULT = 100
LIMIT_MAX = 1000
CURSOR_CHARS_MAX = 1000

Item = TypeVar("Item")
Row = TypeVar("Row")


class NoQuery(BaseModel):
    """A route without query parameters: any is refused."""

    model_config = ConfigDict(extra="forbid")


class ListQuery(BaseModel):
    """Parameters of every list; each list adds its filters. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Annotated[
        str | None, Field(max_length=CURSOR_CHARS_MAX, description="`next` of the page before")
    ] = None

    def filters(self) -> dict[str, object]:
        """What was asked for, without the paging."""
        return self.model_dump(exclude={"limit", "cursor"}, exclude_none=True)


class Page(BaseModel, Generic[Item]):
    items: Sequence[Item]
    next: str | None
    """Cursor of the next page; null: this was the last one."""


def read_page(
    store: StorePool,
    resource: Resource[Row],
    query: ListQuery,
    filters: dict[str, object] | None = None,
) -> tuple[list[Row], str | None]:
    """The rows that `query` asks for, and the cursor to go on from.

    `filters` stand in for the query's own. Raises UnusableValueError, StoreAwayError.
    """
    after = None if query.cursor is None else decode_cursor(resource.query, query.cursor)
    asked = query.filters() if filters is None else filters
    with store.connection() as database:
        rows, key = fetch_page(database, resource, asked, after, query.limit)
    return rows, None if key is None else encode_cursor(resource.query, key)


def read_one(store: StorePool, resource: Resource[Row], name: str, value: str) -> Row | None:
    """The row whose `name` is `value`. Raises UnusableValueError, StoreAwayError."""
    with store.connection() as database:
        rows, _ = fetch_page(database, resource, {name: value}, None, 1)
    return rows[0] if rows else None


def encode_cursor(resource: str, key: Key) -> str:
    """An opaque text for the key; it also says which list it belongs to."""
    return base64.urlsafe_b64encode(msgspec.json.encode((resource, *key))).rstrip(b"=").decode()


def decode_cursor(resource: str, cursor: str) -> Key:
    """Raises UnusableValueError for anything that encode_cursor didn't give for this list."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        name, *key = msgspec.json.decode(data, type=tuple[str, ...])
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        name, key = "", []
    if name != resource or not key:
        raise UnusableValueError("cursor: not one that this list gave as `next`")
    return tuple(key)
