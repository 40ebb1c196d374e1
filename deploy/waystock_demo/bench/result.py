"""What a benchmark says."""

import msgspec


class BenchResult(msgspec.Struct, frozen=True, kw_only=True):
    """`ratio` is ours ÷ limit; `details` are further figures, their units in their names."""

    name: str
    ours: float
    limit: float
    ratio: float
    unit: str
    details: dict[str, float | str | list[float]] = {}
