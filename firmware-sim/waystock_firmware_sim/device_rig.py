"""A lone device with what it hangs on, and the wheel that turns it. Upstream: device_command;
downstream: a port or a broker. The device's clock jumps from one due call to the next and waits for
real time to follow, so that what is said does not depend on how busy this machine is.
"""

import selectors
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from waystock_firmware_sim.devices.cable import Cable, PluggedPort
from waystock_firmware_sim.devices.mishap_line import MishapLine
from waystock_firmware_sim.devices.mishap_uplink import MishapUplink
from waystock_firmware_sim.devices.port_queue import QueuedPort
from waystock_firmware_sim.devices.pseudo_terminal import PseudoTerminal
from waystock_firmware_sim.devices.uplink import MqttUplink
from waystock_firmware_sim.kinds import AtABroker, OnALine
from waystock_firmware_sim.lone import Assignment, LoneDevice
from waystock_firmware_sim.mishaps import Mishaps, Rates, broken_text, noise_on_a_byte
from waystock_firmware_sim.scheduler import Scheduler

DRAIN_S_MAX = 8.0
"""How long the end waits for a host that has not taken everything."""
STOP_S_MAX = 2.0
"""The same for somebody who has asked it to stop."""
SETTLE_S = 0.6
"""What the host needs to take in the last bytes before the line is hung up."""
TICK_S_MAX = 0.1
FLUSH_PERIOD_S = 0.05


class Rig(NamedTuple):
    """A device with what it hangs on."""

    device: LoneDevice
    plugged: PluggedPort | None
    receive: Callable[[], bytes]
    release: Callable[[], None]
    """Lets go what mishaps held back."""
    is_drained: Callable[[], bool]
    unsaid: Callable[[], int]
    """Frames or messages that nobody took."""


class _Power:
    """A line is made before the device that boots on it."""

    device: LoneDevice

    def back(self) -> None:
        self.device.boot()


class DeviceClock:
    """Seconds since power-up: it jumps from one due call to the next, so that what the device says
    does not depend on how busy this machine is."""

    now_s = 0.0


def serial_port(path: str, baud: int) -> Callable[[], QueuedPort]:
    """Opens the port, again after each unplugging."""
    return lambda: Cable(path, baud)


def pseudo_terminal(link: Path) -> Callable[[], QueuedPort]:
    """Makes the pseudo-terminal, a new one after each unplugging. FileExistsError where something
    else lies at `link`.
    """
    if link.exists() and not link.is_symlink():
        raise FileExistsError(f"{link} is there already; name a place that is free")
    return lambda: PseudoTerminal(link)


def on_a_line(
    a: Assignment,
    kind: OnALine,
    open_port: Callable[[], QueuedPort],
    rates: Rates,
    stack: ExitStack,
    is_hurried: Callable[[], bool],
) -> Rig:
    """The device at a port."""
    plugged = PluggedPort(open_port, is_hurried)
    stack.callback(plugged.close)
    power = _Power()
    line = MishapLine(
        plugged,
        Mishaps(rates, a.seed, noise_on_a_byte),
        a.scheduler,
        lambda mishap, frame: a.truth.mishap(a.device, mishap, frame),
        power.back,
    )
    power.device = kind.make(a, line)
    a.scheduler.every(FLUSH_PERIOD_S, plugged.flush)
    return Rig(
        device=power.device,
        plugged=plugged,
        receive=line.receive,
        release=line.release,
        is_drained=lambda: line.is_drained and not line.unread_bytes(),
        unsaid=lambda: plugged.dropped_frames,
    )


def at_a_broker(
    a: Assignment,
    kind: AtABroker,
    connection: MqttUplink,
    rates: Rates,
    stack: ExitStack,
) -> Rig:
    """The device at its broker."""
    stack.callback(connection.close)
    power = _Power()
    uplink = MishapUplink(
        connection,
        Mishaps(rates, a.seed, broken_text),
        a.scheduler,
        lambda mishap, message: a.truth.mishap(a.device, mishap, message),
        power.back,
    )
    power.device = kind.make(a, uplink)
    return Rig(
        device=power.device,
        plugged=None,
        receive=lambda: b"",
        release=uplink.release,
        is_drained=lambda: not uplink.waiting(),
        unsaid=uplink.waiting,
    )


def play(
    rig: Rig,
    clock: DeviceClock,
    scheduler: Scheduler,
    seconds: float | None,
    is_asked_to_stop: Sequence[int],
) -> None:
    """Turn the wheel until the device is spent, its time is up or it is told to stop; drain it."""
    began_s = time.monotonic()
    ended_at_s: float | None = None
    rested_from_s: float | None = None
    while True:
        _wait(rig, clock, scheduler, began_s)
        if ended_at_s is None:
            is_over = seconds is not None and clock.now_s >= seconds
            if is_over or is_asked_to_stop or rig.device.is_spent():
                rig.device.finish()
                rig.release()
                ended_at_s = clock.now_s
            continue
        is_at_rest = rig.device.is_at_rest() and rig.is_drained()
        rested_from_s = (rested_from_s or clock.now_s) if is_at_rest else None
        if rested_from_s is not None and clock.now_s - rested_from_s >= SETTLE_S:
            return
        patience_s = STOP_S_MAX if is_asked_to_stop else DRAIN_S_MAX
        if clock.now_s - ended_at_s >= patience_s:
            return


def _wait(rig: Rig, clock: DeviceClock, scheduler: Scheduler, began_s: float) -> None:
    """Run the next call when its time has come, or take what the host says before."""
    due_s = scheduler.next_due_s()
    left_s = TICK_S_MAX if due_s is None else began_s + due_s - time.monotonic()
    if due_s is not None and left_s <= 0:
        clock.now_s = max(clock.now_s, due_s)
        scheduler.run_due()
    if _has_input(rig, max(0.0, min(left_s, TICK_S_MAX))):
        now_s = time.monotonic() - began_s
        next_s = scheduler.next_due_s()
        clock.now_s = max(clock.now_s, now_s if next_s is None else min(now_s, next_s))
        data = rig.receive()
        if data:
            rig.device.on_input(data)


def _has_input(rig: Rig, wait_s: float) -> bool:
    port = rig.plugged.port if rig.plugged else None
    if port is None:
        time.sleep(wait_s)
        return False
    with selectors.DefaultSelector() as selector:
        selector.register(port, selectors.EVENT_READ)
        return bool(selector.select(wait_s))
