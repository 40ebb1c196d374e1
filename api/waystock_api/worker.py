"""`waystock worker`: runs the scheduled jobs until it is told to stop. Several workers may run; the
jobs' locks keep them out of each other's way.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random, SystemRandom

import structlog
from prometheus_client import CollectorRegistry, Counter, start_http_server

from waystock.stopping import StopRequest
from waystock.store.pool import StoreAwayError, StorePool
from waystock_api.jobs import JOBS, Job, Surroundings
from waystock_api.live.publisher import Publisher
from waystock_api.settings import SettingsError, WorkerSettings, worker_settings

log = structlog.get_logger()

RETRY_S = 30.0
STATEMENT_TIMEOUT_MS = 30_000


def run(argv: Sequence[str]) -> int:
    """Exit status 0 after SIGTERM or SIGINT, 2 for unusable arguments or settings."""
    parser = argparse.ArgumentParser(prog="waystock worker", description="Run scheduled jobs.")
    parser.add_argument("--metrics-port", type=int, help="serve Prometheus metrics there")
    parser.add_argument("--once", action="store_true", help="run each job once, then end")
    arguments = parser.parse_args(argv)
    try:
        settings = worker_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"waystock worker: {error}\n")
        return 2
    stop = StopRequest()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    signal.signal(signal.SIGINT, lambda _number, _frame: stop.set())
    registry = CollectorRegistry()
    schedule = Schedule(JOBS, time.monotonic, SystemRandom(), registry)
    if arguments.metrics_port is not None:
        start_http_server(arguments.metrics_port, addr="127.0.0.1", registry=registry)
    return _work(settings, schedule, stop, once=arguments.once)


class Schedule:
    """When each job is due. A failed one is tried again soon, with jitter."""

    def __init__(
        self,
        jobs: Sequence[Job],
        clock_s: Callable[[], float],
        random: Random,
        registry: CollectorRegistry,
    ) -> None:
        self._clock_s = clock_s
        self._random = random
        self._due_s = {job: clock_s() + job.first_after_s for job in jobs}
        self._runs = Counter(
            "waystock_job_runs", "Runs of scheduled jobs", ["job", "result"], registry=registry
        )

    def next_in_s(self) -> float:
        """Seconds until the next job is due."""
        return max(0.0, min(self._due_s.values()) - self._clock_s())

    def run_due(self, around: Surroundings) -> bool:
        """Run what is due; False where a job failed (it is logged and will be tried again)."""
        now_s = self._clock_s()
        return self._run_each([job for job, due_s in self._due_s.items() if due_s <= now_s], around)

    def run_all(self, around: Surroundings) -> bool:
        """Run every job, due or not; False where one failed."""
        return self._run_each(list(self._due_s), around)

    def _run_each(self, jobs: Sequence[Job], around: Surroundings) -> bool:
        good = True
        for job in jobs:
            if not around.stopping():
                good = self._run(job, around) and good
        return good

    def _run(self, job: Job, around: Surroundings) -> bool:
        try:
            done = job.run(around, job.number)
        except StoreAwayError as error:
            log.warning("job_failed", job=job.name, reason=str(error))
            self._finish(job, "failed", min(RETRY_S, job.every_s))
            return False
        except Exception:  # A job's outermost boundary: the other jobs must go on.
            log.exception("job_broken", job=job.name)
            self._finish(job, "broken", job.every_s)
            return False
        self._finish(job, "done", job.every_s)
        log.debug("job_done", job=job.name, count=done)
        return True

    def _finish(self, job: Job, result: str, wait_s: float) -> None:
        self._runs.labels(job.name, result).inc()
        self._due_s[job] = self._clock_s() + wait_s * self._random.uniform(0.9, 1.1)


def _work(settings: WorkerSettings, schedule: Schedule, stop: StopRequest, *, once: bool) -> int:
    random = SystemRandom()
    name = f"waystock-worker-{random.getrandbits(48):012x}"
    publisher = Publisher(settings.mqtt, name, name, lambda: datetime.now(UTC))
    store = StorePool(
        settings.database_url, "worker", connections_max=2,
        statement_timeout_ms=STATEMENT_TIMEOUT_MS,
    )  # fmt: skip
    around = Surroundings(store, publisher, stop.is_set)
    store.open()
    publisher.start()
    log.info("worker_started", jobs=len(JOBS))
    try:
        good = schedule.run_all(around) if once else True
        while not once and not stop.wait(schedule.next_in_s()):
            schedule.run_due(around)
    finally:
        publisher.stop()
        store.close()
    log.info("worker_stopped")
    return 0 if good else 1
