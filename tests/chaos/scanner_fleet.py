"""Many handheld scanners that speak Zebra SSI, each on a pseudo-terminal of its own, driven by one
thread: each sends a code, waits for its ACK, sends again with the status bit set where none came,
and then goes on to the next code, at a pace or as fast as it is answered.
"""

import os
import select
import threading
import time
from pathlib import Path

from tests.integration.gateway.rig import PtyDevice, Scanner

RESEND_S = 0.5
TURN_S = 0.02
ACK = b"\xd0"


class ScannerFleet:
    """Scans until `stop`; `acknowledged` holds what the scanners were told to be kept."""

    def __init__(self, folder: Path, count: int, codes_per_s: float) -> None:
        self.devices = [PtyDevice(folder / f"scan-{number}") for number in range(count)]
        self.acknowledged: list[str] = []
        self.resent = 0
        self._hands = [_Hand(number, device) for number, device in enumerate(self.devices)]
        self._gap_s = count / codes_per_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scanners", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No new codes; returns when every code under way is acknowledged."""
        self._stopping.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "a code was never acknowledged"

    def close(self) -> None:
        for device in self.devices:
            device.unplug()

    def _run(self) -> None:
        by_fd = {hand.fd: hand for hand in self._hands}
        while True:
            now_s = time.monotonic()
            for hand in self._hands:
                if hand.code is None and not self._stopping.is_set() and now_s >= hand.due_s:
                    hand.begin(now_s, self._gap_s)
                elif hand.code is not None and now_s - hand.sent_s > RESEND_S:
                    hand.send(again=True)
                    self.resent += 1
            if self._stopping.is_set() and all(hand.code is None for hand in self._hands):
                return
            for fd in select.select(list(by_fd), [], [], self._wait_s())[0]:
                code = by_fd[fd].hear()
                if code is not None:
                    self.acknowledged.append(code)

    def _wait_s(self) -> float:
        if any(hand.code is None for hand in self._hands):
            return min(TURN_S, self._gap_s / 10)
        return TURN_S


class _Hand:
    """One scanner and the code that it holds."""

    def __init__(self, number: int, device: PtyDevice) -> None:
        self.fd = device.fileno()
        self.code: str | None = None
        self.due_s = 0.0
        self.sent_s = 0.0
        self._number = number
        self._count = 0
        self._scanner = Scanner(device)

    def begin(self, now_s: float, gap_s: float) -> None:
        """The next code. What a lost second has delayed is caught up."""
        self.code = f"{self._number}-{self._count}"
        self._count += 1
        self.due_s = max(self.due_s, now_s - 1.0) + gap_s
        self.send(again=False)

    def hear(self) -> str | None:
        """The code, if its ACK came."""
        if ACK not in os.read(self.fd, 4096) or self.code is None:
            return None
        code, self.code = self.code, None
        return code

    def send(self, *, again: bool) -> None:
        assert self.code is not None
        self._scanner.device.send(self._scanner.packet(self.code, again=again))
        self.sent_s = time.monotonic()
