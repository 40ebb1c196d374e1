"""`waystock api user …` and `waystock api token …`: who may sign in. Answers on standard output."""

import argparse
import secrets
import sys
from collections.abc import Callable

from waystock.contract.identifiers import is_name
from waystock.store import accounts
from waystock.store.connection import Database
from waystock.store.pool import StoreAwayError, StorePool
from waystock_api.passwords import (
    PASSWORD_CHARS_MAX,
    PASSWORD_CHARS_MIN,
    hash_password,
    token_hash,
    token_text,
)

ROLES = ("viewer", "operator", "admin")
SALT_BYTES = 16
TOKEN_BYTES = 32


def add_subcommands(parser: argparse.ArgumentParser) -> None:
    """Add `user` and `token` to `waystock api`; the choice ends up in `subject` and `action`."""
    subjects = parser.add_subparsers(dest="subject", metavar="{user,token}")
    user = subjects.add_parser("user", help="people who sign in with a password")
    user_actions = user.add_subparsers(dest="action", required=True)
    add = user_actions.add_parser("add", help="add or change; the password on standard input")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, required=True)
    user_actions.add_parser("disable", help="end all sign-ins").add_argument("name")
    user_actions.add_parser("list")
    token = subjects.add_parser("token", help="tokens of programs and unattended screens")
    token_actions = token.add_subparsers(dest="action", required=True)
    add = token_actions.add_parser("add", help="prints the token, once")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, required=True)
    token_actions.add_parser("revoke").add_argument("name")
    token_actions.add_parser("list")


def run(arguments: argparse.Namespace, database_url: str) -> int:
    """Exit status 0 when done, 1 where it can't be, 2 for an unusable name or password."""
    name: str = getattr(arguments, "name", "")
    if name and not is_name(name):
        return _fail(2, f"{name!r} is not a usable name: lower-case letters, digits and hyphens")
    password_hash = ""
    if (arguments.subject, arguments.action) == ("user", "add"):
        password = sys.stdin.readline(PASSWORD_CHARS_MAX + 2).rstrip("\r\n")
        if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
            return _fail(2, f"the password needs {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} "
                         "characters, on standard input")  # fmt: skip
        password_hash = hash_password(password, secrets.token_bytes(SALT_BYTES))
    store = StorePool(database_url, "accounts", connections_max=1)
    store.open()
    try:
        with store.connection() as database:
            return _COMMANDS[arguments.subject, arguments.action](
                database, name, getattr(arguments, "role", "viewer"), password_hash
            )
    except StoreAwayError as error:
        return _fail(1, str(error))
    finally:
        store.close()


def _user_add(database: Database, name: str, role: accounts.Role, password_hash: str) -> int:
    new = accounts.put_account(database, name, password_hash, role)
    print(f"user {name} ({role}) {'added' if new else 'changed'}")
    return 0


def _user_disable(database: Database, name: str, *_: str) -> int:
    if not accounts.disable_account(database, name):
        return _fail(1, f"there is no user {name} to disable")
    print(f"user {name} disabled")
    return 0


def _user_list(database: Database, *_: str) -> int:
    for account in accounts.list_accounts(database):
        state = "disabled" if account.disabled_at else "active"
        print(f"{account.username}\t{account.role}\t{state}\t{account.created_at:%Y-%m-%d}")
    return 0


def _token_add(database: Database, name: str, role: accounts.Role, *_: str) -> int:
    token = token_text(secrets.token_bytes(TOKEN_BYTES))
    if not accounts.put_token(database, token_hash(token), name, role):
        return _fail(1, f"there is a valid token {name} already; revoke it first")
    print(token)
    return 0


def _token_revoke(database: Database, name: str, *_: str) -> int:
    if not accounts.revoke_token(database, name):
        return _fail(1, f"there is no token {name} to revoke")
    print(f"token {name} revoked")
    return 0


def _token_list(database: Database, *_: str) -> int:
    for token in accounts.list_tokens(database):
        state = "revoked" if token.revoked_at else "valid"
        print(f"{token.name}\t{token.role}\t{state}\t{token.created_at:%Y-%m-%d}")
    return 0


def _fail(status: int, why: str) -> int:
    sys.stderr.write(f"waystock api: {why}\n")
    return status


_COMMANDS: dict[tuple[str, str], Callable[[Database, str, accounts.Role, str], int]] = {
    ("user", "add"): _user_add,
    ("user", "disable"): _user_disable,
    ("user", "list"): _user_list,
    ("token", "add"): _token_add,
    ("token", "revoke"): _token_revoke,
    ("token", "list"): _token_list,
}
