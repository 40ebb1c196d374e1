"""First stage: every reading is kept as it came, before anything is made of it."""

from waystock.store.readings import copy_readings
from waystock_ingest.stages.work import Work


def keep_readings(work: Work) -> None:
    """Raw rows by binary COPY."""
    copy_readings(work.database, work.columns, work.stream_ids, work.received_at)
