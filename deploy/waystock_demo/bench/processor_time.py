"""Processor time of processes by what they are: each child of ours with all of its own children.
Linux's /proc. Upstream: a benchmark that runs real processes; downstream: its figures.
"""

import os
from pathlib import Path
from typing import NamedTuple

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class _Stat(NamedTuple):
    pid: int
    parent: int
    own_s: float
    """Of the process itself, and …"""
    ended_s: float
    """… of children that have ended."""


def by_child(names: dict[int, str]) -> dict[str, float]:
    """Seconds so far of each process in `names` (pid → what it is) with its descendants."""
    every = _every()
    children: dict[int, list[int]] = {}
    for one in every.values():
        children.setdefault(one.parent, []).append(one.pid)
    seconds = dict.fromkeys(names.values(), 0.0)
    for pid, name in names.items():
        waiting = [pid]
        while waiting:
            one = every.get(waiting.pop())
            if one is not None:
                seconds[name] += one.own_s + one.ended_s
                waiting += children.get(one.pid, [])
    return seconds


def children_of_ours() -> dict[int, str]:
    """pid → name of the program, of what this process has started."""
    return {
        one.pid: (Path("/proc") / str(one.pid) / "comm").read_text().strip()
        for one in _every().values()
        if one.parent == os.getpid()
    }


def ours_s() -> float:
    """Of this process, all its threads."""
    times = os.times()
    return times.user + times.system


def _every() -> dict[int, _Stat]:
    found = (_stat(folder) for folder in Path("/proc").iterdir() if folder.name.isdigit())
    return {one.pid: one for one in found if one is not None}


def _stat(folder: Path) -> _Stat | None:
    """None for one that has ended meanwhile."""
    try:
        text = (folder / "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    own, ended = (sum(int(one) for one in fields[at : at + 2]) / _TICKS_PER_S for at in (11, 13))
    return _Stat(int(folder.name), int(fields[1]), own, ended)
