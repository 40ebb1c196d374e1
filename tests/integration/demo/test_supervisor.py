"""The supervisor with real processes and a clock that the test turns."""

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import wait_until
from waystock_demo.logs import LogFolder
from waystock_demo.process import Command
from waystock_demo.supervisor import PAUSE_FIRST_S, PAUSE_MAX_S, Service, Supervisor


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.logs = LogFolder(folder)
        self.changes: list[dict[str, int]] = []
        self.supervisor = Supervisor(self.logs, self.clock, self._note)

    def _note(self) -> None:
        self.changes.append(self.supervisor.process_ids())

    def launch(self, name: str, script: str) -> int:
        service = Service(command=Command(name=name, argv=("/bin/sh", "-c", script)))
        return self.supervisor.launch(service).pid

    def kill_and_wait(self, name: str) -> None:
        os.kill(self.supervisor.process_ids()[name], signal.SIGKILL)
        wait_until(lambda: not self.supervisor.is_running(name), f"{name} is dead")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.supervisor.stop_all()


def test_a_killed_process_is_back_after_the_first_pause(bench: Bench) -> None:
    before = bench.launch("api", "exec sleep 60")
    bench.kill_and_wait("api")
    bench.supervisor.tick()
    assert not bench.supervisor.is_running("api")
    bench.clock.now_s += PAUSE_FIRST_S
    bench.supervisor.tick()
    assert bench.supervisor.is_running("api")
    assert bench.changes[-1]["api"] != before
    assert bench.supervisor.restarts() == {"api": 1}


def test_a_process_that_dies_again_and_again_is_not_started_in_a_tight_loop(bench: Bench) -> None:
    bench.launch("ingest", "exit 3")
    starts: list[float] = []
    while len(starts) < 9:
        wait_until(lambda: not bench.supervisor.is_running("ingest"), "it ends by itself")
        count = bench.supervisor.restarts().get("ingest", 0)
        bench.supervisor.tick()
        bench.clock.now_s += 0.05
        bench.supervisor.tick()
        if bench.supervisor.restarts().get("ingest", 0) > count:
            starts.append(bench.clock.now_s)
    gaps_s = [later - sooner for sooner, later in itertools.pairwise(starts)]
    assert all(later > sooner - 0.1 for sooner, later in itertools.pairwise(gaps_s))
    assert gaps_s[-1] >= PAUSE_MAX_S


def test_stopping_goes_against_the_order_of_starting(bench: Bench, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in ("postgres", "api", "gateway-a", "gateway-b", "sim"):
        ready = tmp_path / f"{name}.ready"
        bench.launch(
            name,
            f"trap 'echo {name} >>{order}; exit 0' TERM; touch {ready};"
            " while :; do sleep 0.02; done",
        )
        wait_until(ready.exists, f"{name} is up")
    bench.supervisor.stop_all()
    ended = order.read_text().split()
    assert ended[0] == "sim"
    assert set(ended[1:3]) == {"gateway-a", "gateway-b"}
    assert ended[3:] == ["api", "postgres"]


def test_each_process_is_asked_to_stop_once(bench: Bench, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    ready = tmp_path / "ready"
    bench.launch(
        "api",
        f"trap 'echo asked >>{asked}' TERM; touch {ready};"
        f" while [ ! -s {asked} ]; do sleep 0.02; done; sleep 0.3",
    )
    wait_until(ready.exists, "it is up")
    bench.supervisor.stop_all()
    assert asked.read_text().split() == ["asked"]


def test_error_lines_of_every_process_are_found_and_harmless_ones_are_not(bench: Bench) -> None:
    bench.launch(
        "ingest",
        "echo 'time=x level=error event=store_away'; echo 'level=info error=none';"
        " echo '[1] 2026-11-23 ERROR:  relation'; echo 'no newline yet level=error'; exec sleep 60",
    )
    wait_until(lambda: "newline" in bench.logs.tail("ingest"), "it has spoken")
    bench.logs.look()
    assert bench.logs.error_count == 3
    assert bench.logs.errors[0] == "ingest: time=x level=error event=store_away"


def test_a_chatty_process_cannot_fill_the_disk(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waystock_demo.logs.LOG_BYTES_MAX", 10_000)
    bench.launch("sim", "while :; do echo 'level=info event=chatter'; done")
    log = bench.logs.path("sim")
    turned = log.with_name("sim.log.1")

    def turned_over() -> bool:
        bench.logs.look()
        return turned.exists()

    wait_until(turned_over, "the log was turned over")
    wait_until(lambda: log.stat().st_size > 0, "the process goes on writing into the new log")
    bench.supervisor.stop("sim")
    assert b"\0" not in log.read_bytes()


def test_a_new_run_keeps_the_log_of_the_one_before(tmp_path: Path) -> None:
    for text in (b"first\n", b"second\n"):
        with LogFolder(tmp_path).open("api") as log:
            log.write(text)
    assert (tmp_path / "api.log").read_bytes() == b"second\n"
    assert (tmp_path / "api.log.1").read_bytes() == b"first\n"
