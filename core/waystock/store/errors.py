"""What can go wrong with the store, in the two kinds that callers must tell apart."""

import psycopg

StoreError = psycopg.Error
"""Anything the database refuses or can't do now; after it the connection is done with."""

DATA_REFUSED = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError)
"""The data itself is at fault: trying it again would fail again. Lost connections and deadlocks are
not among these."""

SCHEMA_DIFFERS = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
    psycopg.errors.InsufficientPrivilege,
)
"""Of DATA_REFUSED those that no data causes: this code and the database's schema don't fit together
(it is not migrated yet, or further than this code knows). Better wait than take data for spoilt."""


class RefusedError(Exception):
    """What was asked may not be done with this store as it is; the text says why and what to do."""
