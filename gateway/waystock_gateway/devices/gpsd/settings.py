"""Settings of a port to a gpsd, `[ports.gpsd]`."""

from typing import Annotated

import msgspec


class GpsdSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    receiver: str = ""
    """Which of several receivers of that gpsd counts, by its `device`, such as "/dev/ttyACM0";
    empty: whichever speaks."""
    idle_flush_s: Annotated[float, msgspec.Meta(ge=0.02, le=5)] = 0.4
    """A pause this long ends an instant, of which gpsd may report several times: longer than the
    pauses between those reports, shorter than the one before the next instant."""
    wake_after_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 30.0
    """When gpsd has said nothing for so long it is asked again to report, which also shows whether
    it is still there."""
    speed_mps_max: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    """A fix that would need a higher speed since the one before is marked `teleport`."""
