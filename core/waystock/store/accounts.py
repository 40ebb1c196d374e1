"""Accounts, sessions and API tokens. Knows hashes only: what a password or a token is before it is
hashed stays in the api.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from waystock.store.connection import Database
from waystock.store.sql import queries

Role = Literal["viewer", "operator", "admin"]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a session or token stands for."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Account:
    username: str
    password_hash: str
    role: Role


@dataclass(frozen=True, slots=True)
class AccountLine:
    username: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenLine:
    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None


def put_account(database: Database, username: str, password_hash: str, role: Role) -> bool:
    """Add an account, or change it and end its sessions; True where it is new."""
    database.execute(queries("accounts")["session_end_all"], {"username": username})
    row = database.execute(
        queries("accounts")["account_put"],
        {"username": username, "password_hash": password_hash, "role": role},
    ).fetchone()
    return bool(row and row[0])


def account_for_sign_in(database: Database, username: str) -> Account | None:
    """The account, unless there is none or it is disabled."""
    with database.cursor(row_factory=class_row(Account)) as cursor:
        cursor.execute(queries("accounts")["account_for_sign_in"], {"username": username})
        return cursor.fetchone()


def list_accounts(database: Database) -> list[AccountLine]:
    """All accounts, by name."""
    with database.cursor(row_factory=class_row(AccountLine)) as cursor:
        return cursor.execute(queries("accounts")["account_list"]).fetchall()


def disable_account(database: Database, username: str) -> bool:
    """Disable an account and end its sessions; False where there was none to disable."""
    found = database.execute(queries("accounts")["account_disable"], {"username": username})
    database.execute(queries("accounts")["session_end_all"], {"username": username})
    return found.rowcount > 0


def put_session(database: Database, token_hash: bytes, username: str, life_s: float) -> None:
    """Begin a session that ends after `life_s` seconds."""
    database.execute(
        queries("accounts")["session_put"],
        {"token_hash": token_hash, "username": username, "life_s": life_s},
    )


def find_session(database: Database, token_hash: bytes) -> Holder | None:
    """Whose session it is; None where it is unknown, over, or its account disabled."""
    return _holder(database, "session_find", token_hash)


def end_session(database: Database, token_hash: bytes) -> None:
    """End a session; an unknown one is no error."""
    database.execute(queries("accounts")["session_end"], {"token_hash": token_hash})


def put_token(database: Database, token_hash: bytes, name: str, role: Role) -> bool:
    """Add an API token; False where a valid one of that name exists."""
    found = database.execute(
        queries("accounts")["token_put"], {"token_hash": token_hash, "name": name, "role": role}
    )
    return found.rowcount > 0


def find_token(database: Database, token_hash: bytes) -> Holder | None:
    """Whose token it is; None where it is unknown or revoked."""
    return _holder(database, "token_find", token_hash)


def revoke_token(database: Database, name: str) -> bool:
    """Revoke a token by name; False where there was none to revoke."""
    return database.execute(queries("accounts")["token_revoke"], {"name": name}).rowcount > 0


def list_tokens(database: Database) -> list[TokenLine]:
    """All tokens ever made, by name; never the tokens themselves."""
    with database.cursor(row_factory=class_row(TokenLine)) as cursor:
        return cursor.execute(queries("accounts")["token_list"]).fetchall()


def _holder(
    database: Database, query: Literal["session_find", "token_find"], token_hash: bytes
) -> Holder | None:
    with database.cursor(row_factory=class_row(Holder)) as cursor:
        cursor.execute(queries("accounts")[query], {"token_hash": token_hash})
        return cursor.fetchone()
