"""Settings of an R200-family RFID module, `[ports.r200]`; how its reads are smoothed is set as for
every reader.
"""

from typing import Annotated

import msgspec

from waystock_gateway.sessions.presence_settings import PresenceSettings


class R200Settings(PresenceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    poll: bool = True
    """Start inventory when the port opens. False for a module that starts by itself."""
    wake_after_s: Annotated[float, msgspec.Meta(ge=0.5, le=600)] = 5.0
    """With `poll`: start inventory again when the module has been silent for this long."""
