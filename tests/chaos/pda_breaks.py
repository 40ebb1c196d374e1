"""`python -m tests.chaos.pda_breaks`: PDAs that speak SSI over TCP scan as fast as they are
answered while their connections break in every way (closed, reset, left for dead, in the middle of
a code) and the gateway is killed (SIGKILL) again and again; then each code that a PDA was told to
be kept must have arrived, once.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.integration.gateway.rig import GatewayRig, Scanner, fake_ingest
from tests.integration.gateway.tcp_devices import LOCALHOST, TcpDevice
from tests.support.brokers import nats
from tests.support.processes import wait_until
from waystock_demo.ports import free_port

KILLS, PDAS = 20, 8
LIFE_S_MIN, LIFE_S_MAX = 2.0, 5.0
ANSWER_S = 1.0
TAKEN_WITHIN_S = 60.0
SHARE_CUT, SHARE_BROKEN, SHARE_LEFT = 0.10, 0.10, 0.05
"""Of all transmissions: cut in the middle, broken off before the answer, and left for dead, so that
the next one comes over a second connection."""


@dataclass(frozen=True)
class Result:
    """What came of it."""

    kills: int
    acknowledged: int
    arrived: int
    lost: int
    doubled: int
    breaks: int
    unterminated: int
    """Half codes that the gateway told of, as far as its last life."""


def main() -> int:
    """Exit status 0 where nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="pda_breaks", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--named", action="store_true", help="each address is a device of its own")
    options = parser.parse_args()
    result = run(options.kills, options.seed, named=options.named)
    for name, value in asdict(result).items():
        print(f"{name:18} {value:,}")
    return 1 if result.lost or result.doubled else 0


def run(kills: int, seed: int, *, named: bool) -> Result:
    """`kills` lives of the gateway, one more to deliver, then the count."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waystock-pdas-")))
        broker = stack.enter_context(nats())
        ingest = stack.enter_context(fake_ingest(broker.url))
        rig = GatewayRig(folder, broker.url)
        port = free_port()
        pdas = [Pda(port, number, random.Random(seed + number)) for number in range(PDAS)]
        path = f"tcp-listen://{LOCALHOST}:{port}"
        rig.add_tcp_port("pda-dock", "barcode", path, _settings(pdas if named else []))
        dice = random.Random(seed)
        for pda in pdas:
            pda.start()
        for _ in range(kills):
            with rig.running() as process:
                # The gateway's life: how long it lasts is what the dice say, not what happens.
                time.sleep(dice.uniform(LIFE_S_MIN, LIFE_S_MAX))
                process.kill()
                process.wait()
        with rig.running():
            for pda in pdas:
                pda.stop()
            taken = Counter(code for pda in pdas for code in pda.taken)
            with suppress(AssertionError):  # what is missing for good is counted below
                wait_until(lambda: not taken - Counter(ingest.codes()), "all is in", within_s=30)
            arrived = Counter(ingest.codes())
    return Result(
        kills=kills,
        acknowledged=taken.total(),
        arrived=arrived.total(),
        lost=(taken - arrived).total(),
        doubled=(arrived - taken).total(),
        breaks=sum(pda.breaks for pda in pdas),
        unterminated=max(one.rejects.get("unterminated", 0) for one in ingest.statuses),
    )


class Pda:
    """Scans in a thread of its own until it is stopped; the code under way is taken first."""

    def __init__(self, port: int, number: int, dice: random.Random) -> None:
        self.address = f"127.0.1.{number + 1}"
        self.device_name = f"pda-{number}"
        self.taken: list[str] = []
        self.breaks = 0
        self._device = TcpDevice(port, self.address)
        self._left: list[TcpDevice] = []
        self._scanner = Scanner(self._device)
        self._dice = dice
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.device_name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(2 * TAKEN_WITHIN_S)
        assert not self._thread.is_alive(), f"{self.device_name} waits for ever"
        for device in (*self._left, self._device):
            device.hang_up()

    def _run(self) -> None:
        while not self._stopping.is_set():
            code = f"{self.device_name}-{len(self.taken)}"
            deadline_s = time.monotonic() + TAKEN_WITHIN_S
            again = False
            while not self._is_acknowledged(self._scanner.packet(code, again=again)):
                again = True
                assert time.monotonic() < deadline_s, f"{code} was never acknowledged"
            self.taken.append(code)
            self._device.forget_input()

    def _is_acknowledged(self, packet: bytes) -> bool:
        chance = self._dice.random()
        if chance < SHARE_CUT:
            cut = self._dice.randrange(1, len(packet))
            self._device.send(packet[:cut])
            if chance < SHARE_CUT / 2:
                self._break()
                return False
            self._device.send(packet[cut:])
        else:
            self._device.send(packet)
            if chance < SHARE_CUT + SHARE_BROKEN:
                self._break()
                return False
            if chance < SHARE_CUT + SHARE_BROKEN + SHARE_LEFT:
                self._leave()
                return False
        return b"\xd0" in self._device.receive(ANSWER_S)

    def _break(self) -> None:
        self.breaks += 1
        if self._dice.random() < 0.5 and self._device.is_connected:
            self._device.break_down()
        self._device.hang_up()

    def _leave(self) -> None:
        """The connection stays open and nobody uses it: the gateway can't know."""
        self.breaks += 1
        self._left.append(self._device.left_behind())
        for device in self._left[:-1]:
            device.hang_up()
        del self._left[:-1]


def _settings(named: list[Pda]) -> str:
    names = "".join(f'"{pda.address}" = "{pda.device_name}"\n' for pda in named)
    return (
        '[ports.barcode]\nframing = "ssi"\nrepeat_window_s = 0\n'
        f"[ports.tcp]\npeers_max = {PDAS}\n[ports.tcp.peer_names]\n{names}"
    )


if __name__ == "__main__":
    sys.exit(main())
