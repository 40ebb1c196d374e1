"""The pipeline's stages in order. Each takes the batch's work and writes rows within its
transaction; adding a stage means one file here, one line in STAGES, one test.
"""

from collections.abc import Callable

from waystock_ingest.stages.fleet import derive_fleet
from waystock_ingest.stages.readings import keep_readings
from waystock_ingest.stages.sensors import watch_sensors
from waystock_ingest.stages.stock import derive_stock
from waystock_ingest.stages.work import Dirty, Work

STAGES: tuple[Callable[[Work], None], ...] = (
    keep_readings,
    derive_stock,
    derive_fleet,
    watch_sensors,
)

__all__ = ["STAGES", "Dirty", "Work"]
