"""Whole databases by name on a server: made, renamed, dropped, and whether Waystock is at work in
one. Upstream: benchmarks, restore, copy.
"""

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from waystock.store.connection import Database
from waystock.store.errors import RefusedError
from waystock.store.schema import level_of
from waystock.store.sql import queries

_MAINTENANCE = "postgres"
"""The database that every server has, to connect to while others are made and dropped."""


def make_database(admin_url: str, name: str) -> None:
    """An empty database `name`; one of that name is dropped first. Needs the right to do so."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        identifier = sql.Identifier(name)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))


def put_in_place(admin_url: str, name: str, over: str) -> None:
    """Database `name` takes the name and the place of database `over`, which is dropped."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        new, old = sql.Identifier(name), sql.Identifier(over)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(old))
        connection.execute(queries("databases")["end_connections"], {"database": name})
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(new, old))


def drop_database(admin_url: str, name: str) -> None:
    """Drop it, if it is there, whoever is connected."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        identifier = sql.Identifier(name)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))


def refuse_while_in_use(database: Database) -> None:
    """Raises RefusedError where other Waystock processes are connected: what they are told is
    committed from now on would be gone.
    """
    names = [row[0] for row in database.execute(queries("schema")["others_connected"])]
    if ours := sorted(name for name in names if level_of(name) is not None):
        raise RefusedError(f"stop Waystock first; connected are: {', '.join(ours)}")


def name_of(database_url: str) -> str:
    """The database that a URL names."""
    parameters = conninfo_to_dict(database_url)
    return str(parameters.get("dbname") or parameters.get("user") or _MAINTENANCE)


def on_same_server(database_url: str, name: str = _MAINTENANCE) -> str:
    """The same server, user and password, another database."""
    return make_conninfo(database_url, dbname=name)
