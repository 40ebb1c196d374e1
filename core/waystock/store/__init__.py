"""PostgreSQL/TimescaleDB: migrations, named queries, and the functions that run them. The only
place with SQL. Upstream: ingest, api, worker, commands; downstream: the database.
"""
