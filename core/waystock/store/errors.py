"""What can go wrong with the store, in the two kinds that callers must tell apart."""

import psycopg

StoreError = psycopg.Error
"""Anything the database refuses or can't do now; after it the connection is done with."""

DATA_REFUSED = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError)
"""The data itself is at fault: trying it again would fail again. Lost connections and deadlocks are
not among these."""
