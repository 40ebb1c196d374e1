"""What the demo runs: each Waystock process as a command with its environment. Upstream: the demo's
steps; downstream: the supervisor. Nothing here starts anything.
"""

import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waystock_demo.nats import (
    BrokerAccount,
    gateway_account,
    ingest_account,
    screen_account,
    trackers_account,
)
from waystock_demo.process import Command
from waystock_demo.state import Secrets


@dataclass(frozen=True, kw_only=True)
class GatewayConfig:
    """One gateway of the world, as far as the demo must know it."""

    site: str
    gateway: str
    file: Path
    sources: tuple[str, ...]
    """MQTT topic filters of its devices that speak MQTT on the uplink's broker."""

    @property
    def name(self) -> str:
        """What its process, credential and folder are called."""
        return f"{self.site}-{self.gateway}"


def gateway_configs(world: Path) -> Iterator[GatewayConfig]:
    """The gateways that `waystock sim world` wrote, in the order of their names."""
    for file in sorted((world / "gateways").glob("*.toml")):
        table: dict[str, Any] = tomllib.loads(file.read_text())
        sources: list[dict[str, str]] = table.get("mqtt_sources", [])
        yield GatewayConfig(
            site=table["gateway"]["site"],
            gateway=table["gateway"]["gateway"],
            file=file,
            sources=tuple(
                source["topic"].replace("{device}", "+")
                for source in sources
                if not source.get("url")
            ),
        )


def broker_accounts(gateways: list[GatewayConfig], kept: Secrets) -> tuple[BrokerAccount, ...]:
    """Every account of the embedded broker; passwords are those kept, or new ones."""
    return (
        *(
            gateway_account(one.site, one.gateway, kept.password(f"mqtt-{one.name}"), one.sources)
            for one in gateways
        ),
        ingest_account(kept.password("mqtt-ingest")),
        screen_account("api", kept.password("mqtt-api")),
        screen_account("worker", kept.password("mqtt-worker")),
        trackers_account(kept.password("mqtt-trackers")),
    )


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Where the database and the broker are; the broker's URL may differ by account."""

    database_url: str
    mqtt_urls: dict[str, str]
    """By account; {"": url} where one URL serves all."""

    def mqtt_url(self, account: str) -> str:
        """The URL that `account` uses."""
        return self.mqtt_urls.get(account) or self.mqtt_urls[""]

    def environment(self, account: str) -> dict[str, str]:
        """What a process that uses both is told."""
        return {
            "WAYSTOCK_DATABASE_URL": self.database_url,
            "WAYSTOCK_MQTT_URL": self.mqtt_url(account),
        }


def waystock(*arguments: str) -> tuple[str, ...]:
    """The command `waystock` that belongs to our Python, with `arguments`."""
    beside = Path(sys.executable).parent / "waystock"
    found = str(beside) if beside.exists() else shutil.which("waystock")
    if found is None:
        raise RuntimeError("the command `waystock` is not installed beside this Python")
    return (found, *arguments)


def ingest(endpoints: Endpoints) -> Command:
    """MQTT → store."""
    return Command(name="ingest", argv=waystock("ingest"), env=endpoints.environment("ingest"))


def api(endpoints: Endpoints, host: str, port: int) -> Command:
    """Pages, REST and WebSocket."""
    return Command(
        name="api",
        argv=waystock("api", "--host", host, "--port", str(port)),
        env=endpoints.environment("api"),
    )


def worker(endpoints: Endpoints) -> Command:
    """Scheduled jobs."""
    return Command(name="worker", argv=waystock("worker"), env=endpoints.environment("worker"))


def gateway(endpoints: Endpoints, config: GatewayConfig, data_dir: Path) -> Command:
    """One edge gateway with its own credential and outbox."""
    return Command(
        name=f"gateway-{config.name}",
        argv=waystock("gateway", "run", "--config", str(config.file)),
        env={
            "WAYSTOCK_MQTT_URL": endpoints.mqtt_url(f"gateway-{config.name}"),
            "WAYSTOCK_GATEWAY_DATA_DIR": str(data_dir),
        },
    )


def simulators(endpoints: Endpoints, world: Path, seed: int, truth: Path) -> Command:
    """Every device of the world, on pseudo-terminals and MQTT."""
    return Command(
        name="sim",
        argv=waystock(
            "sim", "run", "--world", str(world), "--seed", str(seed),
            "--mqtt", endpoints.mqtt_url("trackers"), "--truth", str(truth),
        ),
    )  # fmt: skip
