"""mq-bridge as a process: its own environment, its routes at its best settings, started and killed
like ours. It is no dependency of Waystock: it comes into a folder of the user's cache.
"""

import json
import os
import subprocess
import venv
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.peers.single_messages import COLUMNS, SHARED
from waystock_demo.bench.servers import running
from waystock_demo.process import Command, Process

VERSION = "1.2.0"
BATCH_SIZE = 5_000
IN_FLIGHT = 20_000
QUEUE = 100_000
"""With no more than IN_FLIGHT it waits for ever for its subscription after a kill."""
SESSION_S = 86_400
STARTUP_MS, RECONNECT_MS = 60_000, 500
"""Its 5 s are too few for a start on a session with thousands of unacknowledged messages."""
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "waystock-bench"
_PROGRAM = """
import json, logging, sys
import mq_bridge
logging.basicConfig(level=logging.WARNING)
mq_bridge.init_logging()
document = json.loads(sys.argv[1])
routes = [mq_bridge.Route.from_config(document, name) for name in document["routes"]]
for route in routes:
    route.start()
print("routes_started", flush=True)
for route in routes:
    route.join()
"""


class PeerMissingError(Exception):
    """mq-bridge can't be had here; the text is pip's."""


def environment() -> Path:
    """The Python of an environment with mq-bridge in it, made at the first use."""
    folder = _CACHE / f"mq-bridge-{VERSION}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-qq", f"mq-bridge=={VERSION}"]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerMissingError(done.stderr.strip())
        (folder / "complete").touch()
    return python


def routes(broker_url: str, database_url: str) -> dict[str, Any]:
    """MQTT topic → COPY into the table, one route a table."""
    broker = urlsplit(broker_url)
    return {
        "routes": {
            table: {
                "input": {
                    "mqtt": {
                        "url": f"tcp://{broker.hostname}:{broker.port}",
                        "topic": f"peer/{table}",
                        "client_id": f"mq-bridge-{table}",
                        "qos": 1,
                        "clean_session": False,
                        "session_expiry_interval": SESSION_S,
                        "max_inflight": IN_FLIGHT,
                        "queue_capacity": QUEUE,
                    }
                },
                "output": {
                    "sqlx": {
                        "url": database_url,
                        "table": table,
                        "insert_query": _insert(table),
                        "bulk_copy": True,
                    }
                },
                "batch_size": BATCH_SIZE,
                "startup_timeout_ms": STARTUP_MS,
                "reconnect_interval_ms": RECONNECT_MS,
            }
            for table in COLUMNS
        }
    }


def _insert(table: str) -> str:
    columns = (*SHARED, *COLUMNS[table])
    values = ", ".join(f"${{payload:{column}}}" for column in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"


@contextmanager
def mq_bridge(folder: Path, broker_url: str, database_url: str) -> Generator[Process]:
    """The process; its output in `folder`/mq-bridge.log."""
    document = json.dumps(routes(broker_url, database_url))
    argv = (str(environment()), "-c", _PROGRAM, document)
    with running(Command(name="mq-bridge", argv=argv), folder) as process:
        yield process
