"""A disk that the outbox itself has filled: what was taken is kept, what was delivered makes room,
and the gateway takes readings again without anybody's help.
"""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.gateway.rig import FakeIngest, GatewayRig
from tests.integration.gateway.test_shedding import AT, put, scan
from tests.support.postgres import on_ci
from tests.support.processes import wait_until
from waystock_gateway.errors import OutboxError
from waystock_gateway.outbox import Outbox

BIG = 1_000_000_000
GULP = 2_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        if on_ci():
            raise AssertionError("a small disk can't be mounted")
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(outbox: Outbox) -> int:
    """Scans until the disk refuses, to the last one that fits."""
    size = GULP
    while size:
        number = outbox.next_offset
        try:
            put(outbox, [scan(number + n) for n in range(size)])
        except OutboxError:
            size //= 2
    return outbox.depth


def test_a_disk_filled_to_the_last_byte_takes_readings_again_once_some_are_delivered(
    small_disk: Path,
) -> None:
    outbox = Outbox(small_disk / "outbox.sqlite", BIG)
    for _ in range(3):
        held = fill(outbox)
        assert held > 1_000
        first = outbox.next_offset - held
        with pytest.raises(OutboxError):
            put(outbox, [scan(0)])
        outbox.forget_later([(first, outbox.next_offset)])
        until_taken(outbox)
        wait_until(lambda: not forget(outbox), "what was delivered is forgotten", every_s=0)
        assert outbox.depth == 1
        outbox.forget_later([(first, outbox.next_offset)])
    outbox.close()


def forget(outbox: Outbox) -> bool:
    """Delete some of what is stored; whether there is more. The disk may refuse now and then."""
    with suppress(OutboxError):
        outbox.commit([], AT)
    return outbox.has_done


def until_taken(outbox: Outbox) -> None:
    """As the intake does: again and again."""
    for _ in range(50):
        try:
            put(outbox, [scan(0)])
        except OutboxError:
            continue
        return
    raise AssertionError("never again")


def test_a_filled_disk_loses_nothing_across_a_restart_and_delivers(small_disk: Path) -> None:
    outbox = Outbox(small_disk / "outbox.sqlite", BIG)
    held, last = fill(outbox), outbox.next_offset
    outbox.close()
    again = Outbox(small_disk / "outbox.sqlite", BIG)
    assert (again.depth, again.next_offset) == (held, last)
    again.forget_later([(0, last)])
    until_taken(again)
    again.close()


def test_a_gateway_on_a_full_disk_refuses_delivers_and_goes_on(
    small_disk: Path, rig: GatewayRig, ingest: FakeIngest
) -> None:
    text = rig.config.read_text().replace(str(rig.data), str(small_disk))
    rig.config.write_text(text)
    outbox = Outbox(small_disk / "outbox.sqlite", BIG)
    outbox.claim("sha/gw-1")
    held = fill(outbox)
    outbox.close()
    scanner = rig.add_scanner()
    with rig.running():
        wait_until(lambda: len(ingest.codes()) >= held, "what waited is in", within_s=20)
        scanner.scan("AFTER")
        wait_until(lambda: "AFTER" in ingest.codes(), "it goes on")
