"""The history of arrival times as they were told: thinned when written, read for accuracy.
Upstream: ingest's fleet stage; downstream: the api, `waystock fleet eta-report`, and `lanes`, which
learns from outcomes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import repeat
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from waystock.contract.identifiers import iso_utc
from waystock.fleet.derived import MODELS, instant_from_us
from waystock.fleet.records import Records
from waystock.store.arrays import instants, numbers, texts, texts_by
from waystock.store.connection import Database
from waystock.store.questions import Question
from waystock.store.sql import queries

EVERY_S = 300.0
"""What was said of a stop is written again after so long …"""
CHANGE_S, CHANGE_SHARE = 60.0, 0.05
"""… or once it has changed by so much, and by such a share of the time left."""
TOLD_MAX = 200_000
"""Stops of which is known in memory what was said last."""
DELETE_BATCH = 10_000

Model = Literal["learned", "pace", "straight_line"]


class ToldArrivals:
    """What this process wrote last of each stop: of a stop of which there is nothing newer to tell
    the store is not even asked. Only spares work: whether a row is written, the statement says."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._fix_us = np.zeros(0, np.int64)
        self._eta_us = np.zeros(0, np.int64)
        self._model = np.zeros(0, np.int32)

    def is_news(self, outlooks: Records) -> NDArray[np.bool_]:
        """Whether each differs enough, as far as is known here."""
        places = self._found(outlooks)
        fix_us, eta_us = outlooks["fix_us"], outlooks["eta_us"]
        is_new = places < 0
        known = np.flatnonzero(~is_new)
        at = places[known]
        change_us = np.maximum(CHANGE_S * 1e6, CHANGE_SHARE * (eta_us - fix_us)[known])
        is_new[known] = (
            (outlooks["model"][known] != self._model[at])
            | (fix_us[known] - self._fix_us[at] >= EVERY_S * 1e6)
            | (np.abs(eta_us[known] - self._eta_us[at]) >= change_us)
        )
        return is_new

    def note(self, outlooks: Records) -> None:
        """These were offered to the store."""
        keys = _keys(outlooks)
        if len(self._places) + len(keys) > TOLD_MAX:
            self._places = {}
        for key in keys:
            self._places.setdefault(key, len(self._places))
        lacking = len(self._places) - len(self._fix_us)
        if lacking > 0:
            room = max(lacking, len(self._fix_us))
            self._fix_us = np.append(self._fix_us, np.zeros(room, np.int64))
            self._eta_us = np.append(self._eta_us, np.zeros(room, np.int64))
            self._model = np.append(self._model, np.zeros(room, np.int32))
        places = self._found(outlooks)
        self._fix_us[places] = outlooks["fix_us"]
        self._eta_us[places] = outlooks["eta_us"]
        self._model[places] = outlooks["model"]

    def _found(self, outlooks: Records) -> NDArray[np.int64]:
        return np.fromiter(
            map(self._places.get, _keys(outlooks), repeat(-1)), np.int64, len(outlooks)
        )


def _keys(outlooks: Records) -> list[int]:
    """One number for each shipment's stop; two that share one would at worst be written more
    seldom."""
    return (outlooks["shipment"] ^ (outlooks["seq"].astype(np.int64) << 40)).tolist()


def put_predictions(
    database: Database,
    vehicles: Sequence[str],
    outlooks: Records,
    names: Mapping[int, str],
    told: ToldArrivals,
) -> None:
    """Write what is new enough of a call's outlooks; those of a shipment that `names` doesn't know
    are left out."""
    outlooks = outlooks[told.is_news(outlooks)]
    known = [key in names for key in outlooks["shipment"].tolist()]
    outlooks = outlooks[known]
    if not len(outlooks):
        return
    told.note(outlooks)
    database.execute(
        queries("predictions")["put"],
        {
            "predicted_at": instants(outlooks["fix_us"]),
            "vehicles": texts([vehicles[int(track)] for track in outlooks["track"]]),
            "shipments": texts([names[key] for key in outlooks["shipment"].tolist()]),
            "seqs": numbers("int4", outlooks["seq"]),
            "lanes": numbers("int8", outlooks["lane"]),
            "models": texts_by(MODELS, outlooks["model"]),
            "remaining_m": numbers("float8", np.nan_to_num(outlooks["remaining_m"])),
            "p10": instants(outlooks["p10_us"]),
            "p50": instants(outlooks["eta_us"]),
            "p90": instants(outlooks["p90_us"]),
            # A bound that chunks can be left out by.
            "first": instant_from_us(int(outlooks["fix_us"].min())) - timedelta(days=1),
            "every_s": EVERY_S,
            "change_s": CHANGE_S,
            "change_share": CHANGE_SHARE,
        },
    )


def delete_old_predictions(database: Database, age_s: float) -> int:
    """Delete at most DELETE_BATCH rows older than `age_s`; how many."""
    asked = {"age_s": age_s, "batch": DELETE_BATCH}
    return database.execute(queries("predictions")["delete_old"], asked).rowcount


@dataclass(frozen=True, slots=True)
class Prediction:
    """When a vehicle was expected at a stop, as it was told at the time of a fix."""

    predicted_at: datetime
    vehicle: str
    seq: int
    model: Model
    remaining_m: float
    p10: datetime
    p50: datetime
    p90: datetime


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Predictions of one kind against the arrivals that came."""

    key: str
    """The lane, carrier or vehicle; '' for all, and for vehicles without a carrier."""
    model: Model
    bucket: int
    minutes_away: str
    """How long it really still took."""
    from_code: str | None
    to_fence: str | None
    """Of a lane: the stop where it begins (`site …`: the shipment's site), and its end."""
    predictions: int
    arrivals: int
    right_share: float
    """Within the transit benchmark's limits; beyond 15 minutes, within a tenth of the time left."""
    bias_s: float
    """Mean of arrival minus p50: more than 0, vehicles come later than told."""
    mae_s: float
    within_p10_p90: float
    """Should be 0.8."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a customer may be told of an order, by the rule in docs/arrival-times.md."""

    sales_order: str
    customer: str
    site: str
    shipment: str
    seq: int
    promised_at: datetime
    expected_at: datetime
    state: Literal["kept", "moved", "unknown", "arrived"]
    """`unknown`: nothing is predicted; it is never taken for on time."""
    eta: datetime | None
    eta_p90: datetime | None
    arrived_at: datetime | None


PREDICTIONS = Question(
    family="predictions", query="of_shipment", row=Prediction,
    must=("shipment",), may=("seq",),
    key=lambda row: (iso_utc(row.predicted_at), str(row.seq)),
)  # fmt: skip
ACCURACY = Question(
    family="predictions", query="accuracy", row=Accuracy,
    must=("since", "until", "by"), may=("model",),
    key=lambda row: (row.key, row.model, str(row.bucket)),
)  # fmt: skip
PROMISES = Question(
    family="predictions", query="promises", row=Promise,
    must=("since", "until"), may=("customer", "shipment", "state"),
    key=lambda row: (row.sales_order,),
)  # fmt: skip
