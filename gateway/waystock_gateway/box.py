"""What the box itself tells: its temperature, which start it lives in, and whether its clock is
kept by anybody. Linux; where the system does not say, the answer is None. Used by `health`.
"""

import ctypes
from contextlib import suppress
from pathlib import Path

THERMAL = Path("/sys/class/thermal")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""
_TIMEX_BYTES_MAX = 512


def boot_id(file: Path = BOOT_ID) -> str:
    """Another one after each start of the box; empty where the system has none."""
    with suppress(OSError):
        return file.read_text().strip()
    return ""


def temperature_c(thermal: Path = THERMAL) -> float | None:
    """The hottest zone that the kernel tells of."""
    zones: list[float] = []
    for file in thermal.glob("thermal_zone*/temp"):
        with suppress(OSError, ValueError):  # a zone that is switched off has no reading
            zones.append(int(file.read_text()) / 1000)
    return max(zones, default=None)


def clock_is_synchronised() -> bool | None:
    """Whether the kernel believes that NTP, PTP or a GPS keeps its clock."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return None
    state = int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES_MAX)))
    return None if state < 0 else state != _TIME_ERROR
