"""`waystock api` and `waystock worker` as processes: accounts, clean ends, clear failures."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.processes import wait_until
from waystock_demo.ports import free_port

WAYSTOCK = str(Path(sys.executable).with_name("waystock"))


def run(database_url: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"WAYSTOCK_DATABASE_URL": database_url}
    return subprocess.run(
        [WAYSTOCK, *arguments], input=stdin, env=environment, text=True, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_an_administrator_adds_users_and_tokens_and_takes_them_away(
    plain_database_url: str,
) -> None:
    def api(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return run(plain_database_url, "api", *arguments, stdin=stdin)

    added = api("user", "add", "ann", "--role", "admin", stdin="long enough\n")
    assert added.stdout == "user ann (admin) added\n"
    assert api("user", "list").stdout.startswith("ann\tadmin\tactive\t")
    assert api("user", "add", "bob", "--role", "viewer", stdin="short\n").returncode == 2
    assert api("user", "disable", "ann").returncode == 0
    assert api("user", "disable", "ann").returncode == 1
    token = api("token", "add", "screen-1", "--role", "viewer").stdout
    assert token.startswith("wst_")
    again = api("token", "add", "screen-1", "--role", "viewer")
    assert (again.returncode, again.stdout) == (1, "")
    assert "revoke it first" in again.stderr
    assert api("token", "revoke", "screen-1").returncode == 0
    renewed = api("token", "add", "screen-1", "--role", "viewer")
    assert renewed.stdout != token


def test_what_cannot_be_done_is_said_and_ends_with_a_status(plain_database_url: str) -> None:
    away = run("postgresql://nobody@127.0.0.1:1/nothing", "api", "user", "list")
    assert away.returncode == 1
    assert "database" in away.stderr
    assert (
        run(plain_database_url, "api", "token", "add", "../x", "--role", "viewer").returncode == 2
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(plain_database_url, "api", "--port", port).returncode == 1


def test_sigterm_ends_api_and_worker_cleanly(plain_database_url: str) -> None:
    environment = os.environ | {
        "WAYSTOCK_DATABASE_URL": plain_database_url,
        "WAYSTOCK_MQTT_URL": "mqtt://127.0.0.1:1",
    }
    port = free_port()
    metrics_port = free_port()
    commands = (
        ["api", "--port", str(port)],
        ["worker", "--metrics-port", str(metrics_port)],
    )
    processes = [
        subprocess.Popen([WAYSTOCK, *command], env=environment, stderr=subprocess.PIPE)
        for command in commands
    ]
    try:
        for url in (f"http://127.0.0.1:{port}/healthz", f"http://127.0.0.1:{metrics_port}/"):
            wait_until(lambda url=url: answers(url), url, within_s=30)
        with connect(f"ws://127.0.0.1:{port}/api/v1/live") as screen:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed):
                screen.recv(timeout=5)
        for process in processes:
            _, errors = process.communicate(timeout=5)
            assert process.returncode == 0, errors
            assert b"Traceback" not in errors
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).status_code == 200
    except httpx.HTTPError:
        return False
