"""A third truck beside those of the small day, and its trackers put here and there."""

from collections.abc import Sequence

import msgspec

from tests.support.small_day import master_data, minutes
from waystock.contract.masterdata import MasterData, Vehicle
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data

Row = tuple[str, str, float | None, float | None]
"""Device, vehicle, from and until in minutes of the day."""


def three_trucks() -> MasterData:
    day = master_data()
    return msgspec.structs.replace(
        day, vehicles=(*day.vehicles, Vehicle(vehicle="t03", plate="t3"))
    )


def prepare(url: str) -> None:
    with connect(url, "test") as database:
        import_master_data(database, three_trucks())


def assign(url: str, rows: Sequence[Row]) -> None:
    """These and no others."""
    wanted = [
        (device, vehicle, *(None if one is None else minutes(one) for one in bounds))
        for device, vehicle, *bounds in rows
    ]
    with connect(url, "test") as database:
        is_wanted = "(device, vehicle, during) = (%s, %s, tstzrange(%s, %s))"
        either = " OR ".join([is_wanted] * len(wanted)) or "false"
        flat = [value for row in wanted for value in row]
        database.execute(f"DELETE FROM assignment WHERE NOT ({either})", flat)  # type: ignore[arg-type]
        for row in wanted:
            database.execute(
                "INSERT INTO assignment (device, vehicle, during)"
                " SELECT %s, %s, tstzrange(%s, %s)"
                f" WHERE NOT EXISTS (SELECT 1 FROM assignment WHERE {is_wanted})",
                (*row, *row),
            )
