"""Settings of a Chafon / UHFReader18 reader, `[ports.chafon]`; how its reads are smoothed is set as
for every reader.
"""

from typing import Annotated

import msgspec

from waystock_gateway.sessions.presence_settings import PresenceSettings


class ChafonSettings(PresenceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    poll: bool = True
    """Ask for one inventory after the other (answer mode). False for a reader set to send by itself
    (real-time or active mode)."""
    wake_after_s: Annotated[float, msgspec.Meta(ge=0.5, le=600)] = 5.0
    """With `poll`: ask again when the reader has been silent for this long."""
