"""Settings of a Chafon / UHFReader18 reader, `[ports.chafon]`."""

from typing import Annotated

import msgspec


class ChafonSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    absence_s: Annotated[float, msgspec.Meta(ge=0.2, le=3600)] = 3.0
    """A tag that was not heard for this long has departed."""
    arrive_reads: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    """How often a tag must be heard, with no absence between, before it has arrived."""
    poll: bool = True
    """Ask for one inventory after the other (answer mode). False for a reader set to send by itself
    (real-time or active mode)."""
    wake_after_s: Annotated[float, msgspec.Meta(ge=0.5, le=600)] = 5.0
    """With `poll`: ask again when the reader has been silent for this long."""
