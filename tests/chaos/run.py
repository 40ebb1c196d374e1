"""`make chaos`: for each part of the chain a demo under load in which that part is killed three
times; then what the devices sent is compared with what is stored. Writes a table and chaos.json.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.chaos.faults import FAULTS, Outcome, run_with_kills

SECONDS = 45.0
KILLS = 3
GAP_S = 11.0


def main() -> int:
    """Exit status 0 where nothing was lost or doubled, else 1."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this part")
    parser.add_argument("--out", type=Path, default=Path("chaos.json"))
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="waystock-chaos-") as folder:
        for fault in options.fault or FAULTS:
            print(f"{fault}: killed {KILLS} times in {SECONDS:.0f} s …", flush=True)
            try:
                outcome = run_with_kills(Path(folder) / fault, (fault,) * KILLS, SECONDS, GAP_S)
            except AssertionError as failure:
                failures.append(f"{fault}: {failure}")
                continue
            rows.append(_row(fault, outcome))
            options.out.write_text(json.dumps(rows, indent=1) + "\n")
    print(_table(rows))
    print(f"written to {options.out}", *failures, sep="\n")
    return 1 if failures or any(row["lost"] or row["doubled"] for row in rows) else 0


def _row(fault: str, outcome: Outcome) -> dict[str, Any]:
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


def _table(rows: list[dict[str, Any]]) -> str:
    columns = ("fault", "sent", "stored", "lost", "doubled", "recover_s")
    lines = ["".join(f"{name:>11}" for name in columns)]
    lines += ["".join(f"{row[name]!s:>11}" for name in columns) for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
