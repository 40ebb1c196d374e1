"""The faults: each does its harm to a running rig, mends what a person or a supervisor would mend,
and notes how long it took until readings were stored again.
"""

import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from tests.chaos.rig import Fault, Rig
from tests.support.processes import wait_until
from tests.support.vandal import Vandal
from tests.support.workers import Worker

MID_BATCH_WITHIN_S, UNHEARD_WITHIN_S = 10.0, 5.0
RSS_EVERY_S = 0.5
NONSENSE_TAKEN_MIN = 8
"""Of some 17 kinds a broker may refuse what is spoilt UTF-8 or too large, but not the rest."""
FLOOD_WITHIN_S = 900.0


def kill_worker(number: int = 0) -> Fault:
    """SIGKILL in the middle of a transaction; started again at once."""

    def fault(rig: Rig) -> None:
        worker = rig.workers[number]
        _kill_mid_batch(rig, number)
        killed_s = time.monotonic()
        worker.start()
        rig.recover(killed_s)

    return fault


def kill_worker_unheard(number: int = 0) -> Fault:
    """SIGKILL after a commit of which neither the broker nor a gateway has heard: all of it comes
    again.
    """

    def fault(rig: Rig) -> None:
        worker = rig.workers[number]
        rig.to_broker.freeze()
        with suppress(AssertionError):
            before = rig.committed()
            wait_until(
                lambda: rig.committed() > before,
                "something is committed",
                within_s=UNHEARD_WITHIN_S,
                every_s=0.01,
            )
            rig.notes["killed_unheard"] = rig.notes.get("killed_unheard", 0) + 1
        worker.kill()
        killed_s = time.monotonic()
        rig.to_broker.cut()
        rig.to_broker.mend()
        worker.start()
        rig.recover(killed_s)

    return fault


def lose_worker(number: int) -> Fault:
    """SIGKILL in the middle of a transaction; the others go on without it."""

    def fault(rig: Rig) -> None:
        _kill_mid_batch(rig, number)
        killed_s = time.monotonic()
        del rig.workers[number]
        rig.recover(killed_s)

    return fault


def _kill_mid_batch(rig: Rig, number: int) -> None:
    worker = rig.workers[number]
    # Where all is done before it gets another batch, there is none to kill it in.
    with suppress(AssertionError):
        wait_until(
            lambda: rig.in_transaction(worker),
            "a batch is being committed",
            within_s=MID_BATCH_WITHIN_S,
            every_s=0.002,
        )
        rig.notes["killed_mid_batch"] = rig.notes.get("killed_mid_batch", 0) + 1
    worker.kill()


def kill_database(rig: Rig) -> None:
    """SIGKILL to the server and its children: crash recovery at the next start."""
    rig.database.kill()
    killed_s = time.monotonic()
    rig.database.start()
    rig.recover(killed_s)


def kill_broker(rig: Rig) -> None:
    """SIGKILL to the broker; whatever it forgot is gone."""
    rig.broker.kill()
    killed_s = time.monotonic()
    rig.broker.start()
    rig.recover(killed_s)


def cut_broker(seconds: float) -> Fault:
    """Ingest's connection to the broker drops and can't be made again for a while."""
    return _away(lambda rig: rig.to_broker.cut(), lambda rig: rig.to_broker.mend(), seconds)


def cut_database(seconds: float) -> Fault:
    """Ingest's connections to the database drop and can't be made again for a while."""
    return _away(lambda rig: rig.to_database.cut(), lambda rig: rig.to_database.mend(), seconds)


def freeze_broker(seconds: float) -> Fault:
    """Half open: ingest's connection to the broker stands, and nothing comes through it."""
    return _away(lambda rig: rig.to_broker.freeze(), lambda rig: rig.to_broker.mend(), seconds)


def freeze_database(seconds: float) -> Fault:
    """SIGSTOP to the database, no load on top of what the gateways' windows allow."""
    return _away(lambda rig: rig.database.freeze(), lambda rig: rig.database.thaw(), seconds)


def slow_database(delay_s: float, seconds: float) -> Fault:
    """Each answer of the database takes this much longer."""
    return _away(
        lambda rig: rig.to_database.delay(delay_s), lambda rig: rig.to_database.mend(), seconds
    )


def _away(harm: Callable[[Rig], None], mend: Callable[[Rig], None], seconds: float) -> Fault:
    def fault(rig: Rig) -> None:
        harm(rig)
        _hold(seconds)
        mend(rig)
        rig.recover(time.monotonic())

    return fault


def lock_table(seconds: float) -> Fault:
    """Somebody else holds a lock on the table of fixes."""

    def fault(rig: Rig) -> None:
        with psycopg.connect(rig.database_url) as connection:
            connection.execute("LOCK TABLE fix IN ACCESS EXCLUSIVE MODE")
            _hold(seconds)
        rig.recover(time.monotonic())

    return fault


def stop_database_under_flood(seconds: float) -> Fault:
    """SIGSTOP for minutes while gateways send without any window: ingest's memory is measured, then
    and while it catches up.
    """

    def fault(rig: Rig) -> None:
        (worker,) = rig.workers
        rig.notes["rss_before_mb"] = round(worker.rss_mb, 1)
        published = rig.gateways.published
        rig.database.freeze()
        until_s = time.monotonic() + seconds
        most_mb = _rss_max_mb(worker, lambda: time.monotonic() >= until_s)
        rig.notes["stopped_s"] = seconds
        rig.notes["rss_max_mb_while_stopped"] = most_mb
        rig.notes["messages_sent_while_stopped"] = rig.gateways.published - published
        rig.database.thaw()
        rig.recover(time.monotonic())
        rig.notes["rss_max_mb_while_catching_up"] = _rss_max_mb(worker, lambda: rig.is_done)

    return fault


def _rss_max_mb(worker: Worker, until: Callable[[], bool]) -> float:
    most_mb = 0.0

    def sampled() -> bool:
        nonlocal most_mb
        most_mb = max(most_mb, worker.rss_mb)
        return until()

    wait_until(sampled, "the end", within_s=FLOOD_WITHIN_S, every_s=RSS_EVERY_S)
    return round(most_mb, 1)


def vandalise(rig: Rig) -> None:
    """Everything that has no business on the broker, among the readings."""
    with Vandal(rig.broker.url) as vandal:
        taken = vandal.send_everything(rig.boxes[0].stream)
    assert taken > NONSENSE_TAKEN_MIN, "the broker kept nearly all of it away from ingest"
    rig.notes["nonsense_taken"] = rig.notes.get("nonsense_taken", 0) + taken
    assert all(worker.is_alive for worker in rig.workers)
    rig.recover(time.monotonic())


def _hold(seconds: float) -> None:
    until_s = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until_s, "its time", within_s=seconds + 10)
