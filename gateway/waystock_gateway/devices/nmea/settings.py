"""Settings of a GPS unit on a serial line, `[ports.nmea]`."""

from typing import Annotated

import msgspec


class NmeaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    idle_flush_s: Annotated[float, msgspec.Meta(ge=0.02, le=5)] = 0.2
    """A pause this long ends the open epoch: longer than the gaps inside one burst of sentences,
    shorter than the gap between bursts."""
    speed_mps_max: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    """A fix that would need a higher speed since the one before is marked `teleport`."""
