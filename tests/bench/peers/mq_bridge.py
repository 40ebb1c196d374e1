"""`python -m tests.bench.peers.mq_bridge`: the strongest peer found and Waystock, on the same
broker and database server, in the same run, beside psycopg's binary COPY of the same rows. Both
drain a backlog that waits at the broker; the peer derives nothing.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from statistics import mean
from typing import Any

import psycopg

from tests.bench.peers.mq_bridge_process import BATCH_SIZE, IN_FLIGHT, VERSION, mq_bridge
from tests.bench.peers.single_messages import TABLES, publish_rows
from tests.bench.timescale import with_timescale
from tests.support.processes import wait_until
from waystock import logs
from waystock.store import audit
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.migrate import migrate
from waystock_demo.bench import load
from waystock_demo.bench.command import servers_wanted
from waystock_demo.bench.copying import copy_both_ways
from waystock_demo.bench.draining import Drain, drain, subscribe_once
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.processes import peak_rss_mb
from waystock_demo.bench.servers import Servers, scratch_servers

EVENTS, EVENTS_PER_BATCH = 200_000, 500
"""Drained by each in each round."""
ROUNDS = 2
DRAIN_WITHIN_S = 900.0
LOOK_EVERY_S = 0.25
PROBE_OFFSET = -1


def main(arguments: Sequence[str]) -> int:
    """One JSON object or paragraph per database server."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers.mq_bridge")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with with_timescale():
        for server in servers_wanted(None):
            chosen = BenchOptions(broker="mosquitto", server=server)
            with scratch_servers(chosen) as servers:
                figures = compare(servers, options.events)
            text = json.dumps(figures) if options.json else _words(figures)
            print(text, flush=True)
    return 0


def compare(servers: Servers, events: int) -> dict[str, Any]:
    """COPY, the peer, Waystock, COPY, Waystock, the peer, COPY: a busy moment hits each alike."""
    subscribe_once(servers)
    copied, peers, ours = [_copied(servers, events)], list[Drain](), list[Drain]()
    for turn in range(ROUNDS):
        for who in ("peer", "ours") if turn % 2 == 0 else ("ours", "peer"):
            if who == "peer":
                peers.append(_peer(servers, events))
            else:
                ours.append(_ours(servers, events))
        copied.append(_copied(servers, events))
    our_rate, peer_rate, limit = _rate(ours), _rate(peers), mean(copied)
    return {
        "name": "peer-mq-bridge", "ours": our_rate, "peer": peer_rate, "limit": limit,
        "ratio": our_rate / limit, "ratio_to_peer": our_rate / peer_rate,
        "unit": "readings/s (limit: psycopg's binary COPY of the same rows)",
        "details": {
            "events": events, "tier": audit.tier(servers.database("tier")),
            "peer_version": VERSION, "peer_batch_size": BATCH_SIZE, "peer_in_flight": IN_FLIGHT,
            "peer_ratio": peer_rate / limit, "ours_events_per_message": EVENTS_PER_BATCH,
            "ours_rounds": [round(one.rate()) for one in ours],
            "peer_rounds": [round(one.rate()) for one in peers],
            "copy_rounds": [round(one) for one in copied],
            "ours_peak_rss_mb": max(one.ingest_peak_rss_mb for one in ours),
            "peer_peak_rss_mb": max(one.ingest_peak_rss_mb for one in peers),
        },
    }  # fmt: skip


def _rate(drains: Sequence[Drain]) -> float:
    return sum(one.events for one in drains) / sum(one.seconds for one in drains)


def _copied(servers: Servers, events: int) -> float:
    database_url = servers.database("copied")
    migrate(database_url)
    return copy_both_ways(database_url, load.events(events)).by_psycopg


def _ours(servers: Servers, events: int) -> Drain:
    database_url = servers.database("ours")
    migrate(database_url)
    with connect(database_url, "bench") as database:
        import_master_data(database, load.master_data(load.pallets_of(events)))
    batches = load.batches(load.events(events), EVENTS_PER_BATCH)
    drained = drain(servers, database_url, batches, events)
    assert sum(audit.readings_by_kind(database_url).values()) == events
    return drained


def _peer(servers: Servers, events: int) -> Drain:
    database_url = servers.database("peer")
    migrate(database_url)
    let_peer_subscribe(servers, database_url)
    publish_rows(servers.broker_url, load.events(events))
    log = servers.folder / "mq-bridge.log"
    starts = log.read_text().count("routes_started")
    with mq_bridge(servers.folder, servers.broker_url, database_url) as process:
        wait_until(
            lambda: log.read_text().count("routes_started") > starts, "it is up", within_s=60
        )
        started, looks = time.monotonic(), list[tuple[float, int]]()
        while not looks or looks[-1][1] < events:
            assert time.monotonic() - started < DRAIN_WITHIN_S, log.read_text()[-2000:]
            assert process.poll() is None, log.read_text()[-2000:]
            time.sleep(LOOK_EVERY_S)
            looks.append((time.monotonic() - started, stored(database_url)))
        rss_mb = peak_rss_mb(process)
    assert looks[-1][1] == events, f"{looks[-1][1]} of {events}"
    return Drain(events, looks[-1][0], looks, rss_mb)


def let_peer_subscribe(servers: Servers, database_url: str) -> None:
    """Let mq-bridge subscribe, so that what comes while it is away waits for it: readings of each
    kind, with offset −1, are sent until one of each has arrived.
    """
    first: dict[type, Any] = {}
    for event in load.events(20):
        first.setdefault(type(event), event)
    assert set(first) == set(TABLES)
    with mq_bridge(servers.folder, servers.broker_url, database_url):
        for kind, event in first.items():

            def arrived(table: str = TABLES[kind], event: Any = event) -> bool:
                publish_rows(servers.broker_url, [event], first=PROBE_OFFSET)
                return rows(database_url, table, at=PROBE_OFFSET) > 0

            wait_until(arrived, "mq-bridge stores", within_s=30, every_s=0.5)


def stored(database_url: str) -> int:
    """Rows in the three tables, probes aside."""
    return sum(rows(database_url, table) for table in TABLES.values())


def rows(database_url: str, table: str, at: int | None = None) -> int:
    """How many rows: with this offset, or with any that is no probe's."""
    chosen = "stream_offset >= 0" if at is None else f"stream_offset = {at}"
    with psycopg.connect(database_url) as connection:
        found = connection.execute(f"SELECT count(*) FROM {table} WHERE {chosen}")  # type: ignore[arg-type]
        ((count,),) = found.fetchall()
        return count


def _words(figures: dict[str, Any]) -> str:
    details = figures["details"]
    return (
        f"{details['tier']}, {details['events']:,} readings: ours {figures['ours']:,.0f}/s,"
        f" mq-bridge {figures['peer']:,.0f}/s, COPY {figures['limit']:,.0f}/s;"
        f" ours/COPY {figures['ratio']:.2f}, ours/peer {figures['ratio_to_peer']:.2f}"
    )


if __name__ == "__main__":
    logs.configure("warning")
    sys.exit(main(sys.argv[1:]))
