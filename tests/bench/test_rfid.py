"""Short forms of what is measured of RFID, with limits: a portal that tells directions wrongly
books stock where it is not, one that is unsure has people run to the door.
"""

from statistics import median

import pytest

from tests.bench import portal, presence
from tests.bench.portal import Score
from tests.bench.presence import WINDOWS, Crowd, Presence
from waystock_firmware_sim.door.scene import Scene


@pytest.mark.parametrize("has_eyes", [False, True])
def test_a_portal_tells_which_way_pallets_went_and_asks_seldom(has_eyes: bool) -> None:
    score = Score()
    counted = 0
    for seed in (21, 22):
        scene = Scene(seed, 0.65, has_eyes, passings=60)
        outcome = portal.measure(score, scene, portal.settings(has_eyes=has_eyes))
        counted += outcome.drops["stationary"]
    passed, beside = score.count(passed=True), score.count(passed=False)
    assert passed > 40
    assert beside > 40
    assert score.precision >= 0.95
    assert score.recall >= 0.95
    assert score.count(passed=True, asked=True) <= 0.03 * passed
    assert score.count(passed=False, asked=True) <= 0.12 * beside
    assert median(score.delays_s) < 6.0
    assert counted > 1_000


def test_without_levels_the_next_door_s_pallets_are_taken_for_ours() -> None:
    """Why docs/portal.md has the installer find them."""
    careless, careful = Score(), Score()
    scene = Scene(21, 0.65, passings=60)
    portal.measure(
        careless, scene, portal.settings(has_eyes=False, floor_dbm=-128.0, near_dbm=-128.0)
    )
    portal.measure(careful, scene, portal.settings(has_eyes=False))
    assert careless.precision < 0.9 < careful.precision


def test_the_same_seed_is_the_same_scene() -> None:
    scenes = [Scene(5, passings=10) for _ in range(2)]
    told = [list(scene.messages(portal.START)) for scene in scenes]
    assert told[0] == told[1]
    assert list(Scene(6, passings=10).messages(portal.START)) != told[0]


def test_the_adaptive_window_is_quicker_than_a_safe_fixed_one_and_safer_than_a_quick_one() -> None:
    found = {name: Presence() for name in WINDOWS}
    for rate in (0.3, 0.65, 0.95):
        crowd = Crowd(31, rate, antennas=4, tags=40)
        for name, settings in WINDOWS.items():
            presence.smooth(crowd, settings, found[name])
    adaptive, delays_s = found["adaptive"], found["adaptive"].delays_s
    assert adaptive.false_per_100_stays <= 2.0
    assert found["fixed_1_s"].false_per_100_stays > 50.0
    assert median(delays_s) < median(found["fixed_3_s"].delays_s)
    assert len(delays_s) == adaptive.stays
