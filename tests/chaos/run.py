"""`make chaos`: the list of faults. First each part of a whole demo is killed under load; then the
broker, the database, the network and ingest's workers are tormented at full speed, without devices
in front. After each, what was sent is compared with what is stored. Writes a table and chaos.json.
"""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from tests.chaos.faults import FAULTS, run_with_kills
from tests.chaos.rig import Outcome
from tests.chaos.scenarios import SCENARIOS, Scenario, play, play_long
from tests.support.timescale import TimescaleMissingError

SECONDS = 45.0
KILLS = 3
GAP_S = 11.0
LONG_STOP_S = 300.0
LONG = "database-stopped-long"
COLUMNS = ("fault", "sent", "stored", "lost", "doubled", "recover_s")

Row = dict[str, Any]


def main() -> int:
    """Exit status 0 where nothing was lost or doubled and all tables are right, else 1."""
    options = _parser().parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows: list[Row] = []
    failures: list[str] = []
    for name, play_it in _chosen(options.fault, options.long):
        print(f"{name} …", end=" ", flush=True)
        try:
            row = play_it()
        except TimescaleMissingError as missing:
            print(f"left out: {missing}")
            continue
        except AssertionError as failure:
            failures.append(f"{name}: {failure}")
            print("failed")
            continue
        print(_summary(row), flush=True)
        rows.append(row)
        options.out.write_text(json.dumps(rows, indent=1) + "\n")
    print(_table(rows))
    failures += [f"{row['fault']}: {row['wrong']}" for row in rows if row.get("wrong")]
    print(f"written to {options.out}", *failures, sep="\n")
    return 1 if failures or any(row["lost"] or row["doubled"] for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    names = (*FAULTS, *(scenario.name for scenario in SCENARIOS), LONG)
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--fault", choices=names, action="append", help="only this one")
    parser.add_argument("--long", action="store_true", help=f"{LONG} too: ten minutes more")
    parser.add_argument("--out", type=Path, default=Path("chaos.json"))
    return parser


def _chosen(only: list[str] | None, long: bool) -> list[tuple[str, Callable[[], Row]]]:
    plays: list[tuple[str, Callable[[], Row]]] = [
        *((fault, partial(_demo, fault)) for fault in FAULTS),
        *((scenario.name, partial(_scenario, scenario)) for scenario in SCENARIOS),
        (LONG, _long),
    ]
    if only:
        return [one for one in plays if one[0] in only]
    return plays if long else plays[:-1]


def _demo(fault: str) -> Row:
    """The whole chain, simulated devices in front: the part is killed three times."""
    with tempfile.TemporaryDirectory(prefix="waystock-chaos-") as folder:
        outcome = run_with_kills(Path(folder) / fault, (fault,) * KILLS, SECONDS, GAP_S)
    report = outcome.report
    return {
        "fault": fault,
        "sent": sum(report["sent"].values()),
        "stored": sum(report["stored"].values()),
        "lost": report["lost"],
        "doubled": report["doubled"],
        "recover_s": outcome.recover_s[fault],
        "lost_sample": report["lost_sample"],
        "doubled_sample": report["doubled_sample"],
    }


def _scenario(scenario: Scenario) -> Row:
    result = play(scenario)
    return {**_row(scenario.name, result.outcome), "wrong": result.wrong}


def _long() -> Row:
    outcome = play_long(LONG_STOP_S)
    return {**_row(LONG, outcome), "wrong": outcome.wrong}


def _row(name: str, outcome: Outcome) -> Row:
    return {
        "fault": name,
        "sent": outcome.sent,
        "stored": outcome.stored,
        "lost": outcome.lost,
        "doubled": outcome.doubled,
        "recover_s": outcome.recover_s,
        "seconds": outcome.seconds,
        **outcome.notes,
    }


def _summary(row: Row) -> str:
    said = {name: value for name, value in row.items() if name != "fault" and value}
    return " ".join(f"{name}={value}" for name, value in said.items())


def _table(rows: list[Row]) -> str:
    lines = [f"{COLUMNS[0]:32}" + "".join(f"{name:>11}" for name in COLUMNS[1:])]
    lines += [
        f"{row['fault']:32}" + "".join(f"{row[name]!s:>11}" for name in COLUMNS[1:]) for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
