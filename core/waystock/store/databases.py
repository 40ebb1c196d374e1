"""Whole databases, for benchmarks and tests: made anew by name on a server."""

import psycopg
from psycopg import sql


def make_database(admin_url: str, name: str) -> None:
    """An empty database `name`; one of that name is dropped first. Needs the right to do so."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        identifier = sql.Identifier(name)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
