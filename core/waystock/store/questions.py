"""Questions people ask of the store: each a named query, the row it answers with, what may be
asked, and the key that its pages go by. Upstream: the families beside this module (questions_fleet,
questions_stock …), which list them. Downstream: the routes of the api.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, LiteralString, TypeVar

import psycopg
from psycopg.rows import class_row

from waystock.store.api import Key, UnusableValueError
from waystock.store.connection import Database
from waystock.store.sql import queries

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[Row]):
    """A question of `queries/{family}.sql`."""

    family: str
    query: LiteralString
    row: type[Row]
    must: tuple[str, ...]
    """What the question needs to be told: periods, thresholds."""
    may: tuple[str, ...] = ()
    """What narrows it; left out, it doesn't."""
    key: Callable[[Row], Key]


def ask(
    database: Database,
    question: Question[Row],
    asked: Mapping[str, object],
    after: Key | None,
    limit: int,
) -> tuple[list[Row], Key | None]:
    """At most `limit` rows behind the key `after`, and the key to go on from (None: that was all).

    Raises UnusableValueError; KeyError where something is asked that the question doesn't know, or
    left out that it needs.
    """
    wrong = set(asked) - {*question.must, *question.may} | set(question.must) - set(asked)
    if wrong:
        raise KeyError(f"{question.query} is asked wrongly: {sorted(wrong)}")
    parameters: dict[str, Any] = dict.fromkeys(question.may) | dict(asked)
    parameters |= {"after": None if after is None else list(after), "limit": limit + 1}
    statement = queries(question.family)[question.query]
    with database.cursor(row_factory=class_row(question.row)) as cursor:
        try:
            rows = cursor.execute(statement, parameters).fetchall()
        except psycopg.DataError as error:
            raise UnusableValueError(f"a value in the request can't be used: {error}") from error
    more = len(rows) > limit
    return rows[:limit], question.key(rows[limit - 1]) if more else None
