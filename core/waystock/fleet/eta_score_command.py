"""`waystock fleet eta-score FILE --arrivals F`: how good predictions of recorded trips' arrivals
would have been, by the transit benchmark, from nothing but what was known at each fix. Upstream:
files of fixes and arrivals; downstream: standard output, one JSON object a line.

Exit status 0 when both files were read to their end (what was refused is a line of its own), 2 when
not, or the arguments are unusable.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from waystock.fleet.arrival_forecast import Predictions, forecast
from waystock.fleet.arrivals_file import Arrivals, read_arrivals
from waystock.fleet.eta_score import score
from waystock.fleet.lane_baselines import baseline
from waystock.fleet.lane_trips import LaneTrips, lane_trips
from waystock.fleet.recorded import RecordedFixes, Reject
from waystock.fleet.recording_files import FORMATS, READERS, Source

DESCRIPTION = (
    "How good predictions of recorded arrivals would have been"
    " / 用已知到站时间评估到达预测的准确度（只用当时已知的数据）"
)
MODELS = ("learned", "constant", "straight")


def run(arguments: Sequence[str]) -> int:
    """Read, predict, compare, print; see the module's head."""
    options = _parser().parse_args(arguments)
    fixes = RecordedFixes("mps")
    try:
        _read_fixes(options.file, fixes)
        with options.arrivals.open(encoding="utf-8-sig", errors="replace") as lines:
            arrivals = read_arrivals(lines)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"waystock fleet eta-score: {error}\n")
        return 2
    trips = trips_of(fixes, arrivals)
    _tell_strangers(trips, arrivals)
    for file, rejects in ((options.file, fixes.rejects), (options.arrivals, arrivals.rejects)):
        for one in rejects:
            _print(_reject_line(str(file), one))
    _print(
        {
            "type": "score",
            "model": options.model,
            **score_of(trips, options.model),
            "trips": len(trips.fix_first) - 1,
            "fixes": len(trips.fix_s),
            "repeated_fixes": trips.repeated,
            "rejects": len(fixes.rejects) + len(arrivals.rejects),
        }
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="waystock fleet eta-score", description=DESCRIPTION)
    parser.add_argument("file", metavar="FILE", type=Path, help="fixes as CSV, GPX or GeoJSON")
    parser.add_argument(
        "--arrivals",
        metavar="F",
        type=Path,
        required=True,
        help="CSV with trip (a device of FILE), stop, lat, lon, arrived_at",
    )
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    return parser


def _read_fixes(path: Path, fixes: RecordedFixes) -> None:
    name = FORMATS.get(path.suffix.lower(), "csv")
    with path.open("rb") as file:
        READERS[name](Source(file, path.stem, is_named=False), fixes)


def trips_of(fixes: RecordedFixes, arrivals: Arrivals) -> LaneTrips:
    """The trips that both of them know."""
    return lane_trips(
        fixes.columns(None),
        arrivals.trip,
        arrivals.stop,
        np.array(arrivals.lat, np.float64),
        np.array(arrivals.lon, np.float64),
        np.array(arrivals.time_us, np.int64),
    )


def _tell_strangers(trips: LaneTrips, arrivals: Arrivals) -> None:
    lost = len(set(arrivals.trip)) - (len(trips.fix_first) - 1)
    if lost:
        sys.stderr.write(f"waystock fleet eta-score: {lost} trips with arrivals have no fix\n")


def score_of(trips: LaneTrips, model: str) -> dict[str, object]:
    """Of one model. The learned one is scored by the instant that it tells; `p50` has the score of
    the middle of its range, and how often the vehicle came between p10 and p90."""
    if model != "learned":
        return _scored(trips, baseline(trips, is_straight=model == "straight"))
    made = forecast(trips)
    arrived_s = trips.visit_s[made.visit]
    middle = score(trips.fix_s[made.fix], made.p50, arrived_s)
    within = (arrived_s >= made.p10) & (arrived_s <= made.p90)
    return _scored(trips, made) | {
        "p50": {
            "overall": middle.overall,
            "mae_s": middle.mae_s,
            "within_p10_p90": float(within.mean()) if len(within) else None,
        }
    }


def _scored(trips: LaneTrips, made: Predictions) -> dict[str, object]:
    found = score(trips.fix_s[made.fix], made.told, trips.visit_s[made.visit])
    return msgspec.structs.asdict(found)


def _reject_line(file: str, one: Reject) -> dict[str, object]:
    return {"type": "reject", "file": file, "reason": one.reason, "at": one.at, "raw": one.raw}


def _print(line: object) -> None:
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
