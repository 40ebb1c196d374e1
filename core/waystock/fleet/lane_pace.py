"""How much slower or faster than its profile a leg will be: learned from the trip's own delay, from
those just ahead on the leg, and from all of the network. Upstream: legs as they end; downstream:
`arrival_forecast`. Also the pace of legs that nobody drove yet.

A ridge regression of log(seconds ÷ expected seconds) on the three, brought up to date with each
leg that ends; its prior is `PRIOR`, worth `PRIOR_LEGS` legs. A line that keeps a timetable so
learns that delay is made up, one in a jam that it grows.
"""

import math
from typing import NamedTuple

import numpy as np

from waystock.compiled import compiled
from waystock.fleet.fixes import Floats

SIGNALS = 3
PRIOR = (0.35, 0.35, 0.25)
PRIOR_LEGS = 12.0
SIGNAL_VARIANCE = 0.02
FORGET_LEGS = 4000.0
TRACE = 1e-3
OWN_PRIOR_S = 120.0
OWN_MEMORY_LEGS = 5.0
AHEAD_MEMORY_S = 2700.0
NETWORK_MEMORY_S = 1800.0
RATIO_LOG_MAX = 1.0
"""A leg at less than e⁻¹ or more than e times its expectation teaches as if at that."""
FACTOR_LOG_MAX = 0.7
PACE_START_SPM = 0.2
"""Seconds per metre as the crow flies, stops and all, before anything was seen: 18 km/h."""
PACE_BINS = 14
PACE_TRUST_LEGS = 4.0
PACE_MEMORY_LEGS = 300.0


class LanePace(NamedTuple):
    """Sums of what was seen; `products` and `targets` are the regression's."""

    products: Floats
    targets: Floats
    weights: Floats
    """The regression's answer."""
    ahead: Floats
    ahead_at: Floats
    network: Floats
    """[log ratio, when]."""
    own_s: Floats
    """By trip: decayed seconds that its legs took, and …"""
    own_expected_s: Floats
    pace_log: Floats
    """Sum of log seconds per metre by bin of distance, the last of all; and how many."""
    pace_legs: Floats


@compiled
def no_pace(trips: int, legs: int) -> LanePace:
    """Before the first leg."""
    prior = np.array(PRIOR)
    strength = PRIOR_LEGS * SIGNAL_VARIANCE
    return LanePace(
        np.eye(SIGNALS) * strength,
        prior * strength,
        prior,
        np.zeros(legs),
        np.full(legs, -np.inf),
        np.array([0.0, -np.inf]),
        np.zeros(trips),
        np.zeros(trips),
        np.zeros(PACE_BINS + 1),
        np.zeros(PACE_BINS + 1),
    )


@compiled
def own_log(pace: LanePace, trip: int, took_s: float, expected_s: float) -> float:
    """The trip's own delay; the last two are of the leg it is on."""
    seen_s = pace.own_s[trip] + took_s + OWN_PRIOR_S
    return math.log(seen_s / (pace.own_expected_s[trip] + expected_s + OWN_PRIOR_S))


@compiled
def ahead_log(pace: LanePace, leg: int, now_s: float) -> float:
    """What those ahead met on the leg, fading."""
    return pace.ahead[leg] * math.exp(-(now_s - pace.ahead_at[leg]) / AHEAD_MEMORY_S)


@compiled
def network_log(pace: LanePace, now_s: float) -> float:
    """What everybody meets, fading."""
    return pace.network[0] * math.exp(-(now_s - pace.network[1]) / NETWORK_MEMORY_S)


@compiled
def factor(pace: LanePace, own: float, ahead: float, network: float) -> float:
    """Seconds ÷ expected seconds to reckon with."""
    log = pace.weights[0] * own + pace.weights[1] * ahead + pace.weights[2] * network
    return math.exp(min(FACTOR_LOG_MAX, max(-FACTOR_LOG_MAX, log)))


@compiled
def learn_leg(
    pace: LanePace,
    trip: int,
    leg: int,
    now_s: float,
    took_s: float,
    expected_s: float,
    signals: Floats,
) -> None:
    """A leg is over; `signals` are those of its beginning, `expected_s` what was expected then."""
    ratio_log = math.log(max(1.0, took_s) / max(1.0, expected_s))
    ratio_log = min(RATIO_LOG_MAX, max(-RATIO_LOG_MAX, ratio_log))
    weight = min(1.0, expected_s / 120.0)
    kept = 1.0 - 1.0 / FORGET_LEGS
    for row in range(SIGNALS):
        pace.targets[row] = kept * pace.targets[row] + weight * signals[row] * ratio_log
        for column in range(SIGNALS):
            product = weight * signals[row] * signals[column]
            pace.products[row, column] = kept * pace.products[row, column] + product
    _solve(pace)
    own_kept = 1.0 - 1.0 / OWN_MEMORY_LEGS
    bound = max(1.0, expected_s)
    pace.own_s[trip] = own_kept * pace.own_s[trip] + bound * math.exp(ratio_log)
    pace.own_expected_s[trip] = own_kept * pace.own_expected_s[trip] + bound
    pace.ahead[leg] = 0.5 * ahead_log(pace, leg, now_s) + 0.5 * ratio_log
    pace.ahead_at[leg] = now_s
    pace.network[0] = 0.9 * network_log(pace, now_s) + 0.1 * ratio_log
    pace.network[1] = now_s


@compiled
def _solve(pace: LanePace) -> None:
    """The regression's weights, by elimination: the products are positive definite, and a trace of
    the prior keeps them so when all is forgotten."""
    left, right = pace.products.copy(), pace.targets.copy()
    for row in range(SIGNALS):
        left[row, row] += TRACE
        right[row] += TRACE * PRIOR[row]
    for pivot in range(SIGNALS):
        for row in range(pivot + 1, SIGNALS):
            share = left[row, pivot] / left[pivot, pivot]
            left[row] -= share * left[pivot]
            right[row] -= share * right[pivot]
    for row in range(SIGNALS - 1, -1, -1):
        for column in range(row + 1, SIGNALS):
            right[row] -= left[row, column] * pace.weights[column]
        pace.weights[row] = right[row] / left[row, row]


@compiled
def learn_pace(pace: LanePace, straight_m: float, took_s: float) -> None:
    """Seconds per metre as the crow flies of a leg that is over."""
    log = math.log(min(10.0, max(0.01, took_s / straight_m)))
    for place in (_bin(straight_m), PACE_BINS):
        kept = 1.0 - 1.0 / PACE_MEMORY_LEGS
        pace.pace_log[place] = kept * pace.pace_log[place] + log
        pace.pace_legs[place] = kept * pace.pace_legs[place] + 1.0


@compiled
def pace_s(pace: LanePace, straight_m: float) -> float:
    """Seconds for so many metres: of legs about as long, shrunk to all, and those to a guess."""
    all_legs = pace.pace_legs[PACE_BINS]
    mean = (pace.pace_log[PACE_BINS] + math.log(PACE_START_SPM)) / (all_legs + 1.0)
    place = _bin(straight_m)
    alike = pace.pace_log[place] + PACE_TRUST_LEGS * mean
    return straight_m * math.exp(alike / (pace.pace_legs[place] + PACE_TRUST_LEGS))


@compiled
def _bin(straight_m: float) -> int:
    """Each twice as long as the one before; the first ends at 100 m."""
    return min(PACE_BINS - 1, max(0, int(math.log2(straight_m / 50.0))))
