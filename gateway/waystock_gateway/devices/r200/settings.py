"""Settings of an R200-family RFID module, `[ports.r200]`."""

from typing import Annotated

import msgspec


class R200Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    absence_s: Annotated[float, msgspec.Meta(ge=0.2, le=3600)] = 3.0
    """A tag that was not heard for this long has departed."""
    arrive_reads: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    """How often a tag must be heard, with no absence between, before it has arrived."""
    rssi_dbm_min: float = -128.0
    """Weaker notices are ignored (tags that stand near the portal, not in it)."""
    poll: bool = True
    """Start inventory when the port opens. False for a module that starts by itself."""
    wake_after_s: Annotated[float, msgspec.Meta(ge=0.5, le=600)] = 5.0
    """With `poll`: start inventory again when the module has been silent for this long."""
