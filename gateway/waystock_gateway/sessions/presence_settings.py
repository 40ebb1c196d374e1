"""Settings of every RFID reader: how single reads become arrivals and departures, which tags are
furniture, and what a portal's antennas and photo-eyes look at. They stand in the table of the
reader's kind (`[ports.r200]`, `[ports.chafon]`, `[mqtt_sources.presence]`).
"""

from typing import Annotated, Literal

import msgspec

TagPattern = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{4}){1,31}(?!\n)$")]
AntennaNumber = Annotated[int, msgspec.Meta(ge=0, le=255)]

FIXED_ABSENCE_S = 3.0
ADAPTIVE_ABSENCE_S_MAX = 10.0


class PortalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[….portal]`: which way a tag goes through. Without `inner` and `outer`, and without both
    eyes, no direction is told and an arrival counts by itself."""

    inner: tuple[AntennaNumber, ...] = ()
    """Antennas on the warehouse's side of the door (or left, if left is inside)."""
    outer: tuple[AntennaNumber, ...] = ()
    """Antennas on the yard's side: where the truck stands."""
    eye_inner: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """The reader's input (GPI) of the photo-eye on the warehouse's side; 0: there is none."""
    eye_outer: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """The reader's input of the photo-eye on the yard's side; 0: there is none."""
    eye_blocked: Literal["high", "low"] = "high"
    """The input's level while something stands in the beam."""
    eye_pause_s: Annotated[float, msgspec.Meta(ge=0.2, le=60)] = 2.0
    """A pause this long with both beams clear ends what one vehicle did."""
    near_dbm_min: float = -128.0
    """Weaker reads don't count for an arrival: a tag of which there are no others, though it was
    heard, was never in the portal."""
    reads_min: Annotated[int, msgspec.Meta(ge=2, le=100)] = 6
    """With fewer reads a direction stays unknown."""
    lean_min: Annotated[float, msgspec.Meta(ge=0.05, le=0.95)] = 0.25
    """How clearly one side must hear a tag better than the other at the beginning and at the end:
    0 is equally well, 1 is on that side alone."""
    settle_s: Annotated[float, msgspec.Meta(ge=0.5, le=600)] = 2.0
    """A tag that has crossed and was then heard for so long on that side alone is through, even if
    it stays within hearing (a pallet in the truck's tail)."""
    stationary_after_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 900.0
    """A tag that was there all this time is furniture: told once, then no movement; 0: never."""

    @property
    def has_sides(self) -> bool:
        """Whether antennas tell the two sides apart."""
        return bool(self.inner and self.outer)

    @property
    def has_eyes(self) -> bool:
        """Whether there are both photo-eyes."""
        return bool(self.eye_inner and self.eye_outer)

    @property
    def tells_direction(self) -> bool:
        """Whether this is a portal at all."""
        return self.has_sides or self.has_eyes


class PresenceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[mqtt_sources.presence]`: how reads become arrivals and departures."""

    window: Literal["adaptive", "fixed"] = "adaptive"
    """`adaptive`: how long a tag may go unheard follows from how well it was heard. `fixed`: always
    `absence_s`."""
    absence_s: Annotated[float, msgspec.Meta(ge=0.2, le=3600)] | None = None
    """A tag that was not heard for this long has departed; with the adaptive window at the latest
    then. Default: 3 with the fixed window, 10 with the adaptive one."""
    absence_s_min: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 1.0
    """With the adaptive window: no tag departs sooner, however well it was heard."""
    round_s: Annotated[float, msgspec.Meta(ge=0.02, le=10)] = 0.1
    """With the adaptive window: how long the reader takes to ask all tags once; further reads of a
    tag within that time say nothing new."""
    miss_probability: Annotated[float, msgspec.Meta(ge=1e-9, le=0.5)] = 1e-5
    """With the adaptive window: how likely a tag that is there goes unheard for a whole one."""
    arrive_reads: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    """How often a tag must be heard, with no absence between, before it has arrived."""
    rssi_dbm_min: float = -128.0
    """Weaker reads are ignored (tags that stand near the portal, not in it)."""
    raw_reads_per_s_max: Annotated[float, msgspec.Meta(ge=0, le=10_000)] = 0.0
    """Above 0 single reads are kept as well, so many a second at the most; they move nothing."""
    stationary: tuple[TagPattern, ...] = ()
    """EPCs (hex) of tags that belong to the place, such as those on the wall: no movement."""
    not_stationary: tuple[TagPattern, ...] = ()
    """EPCs (hex) that are never taken for furniture: undoes what was learned."""
    portal: PortalSettings = PortalSettings()

    @property
    def longest_absence_s(self) -> float:
        """The fixed window, or the adaptive one's limit."""
        default_s = FIXED_ABSENCE_S if self.window == "fixed" else ADAPTIVE_ABSENCE_S_MAX
        return default_s if self.absence_s is None else self.absence_s


def presence_problems(settings: PresenceSettings) -> list[str]:
    """What only several settings together can show, each with its place in the table."""
    portal = settings.portal
    problems: list[str] = []
    if both := sorted({*portal.inner} & {*portal.outer}):
        problems.append(f"portal: antenna {both[0]} is in inner and outer; it looks at one side")
    if bool(portal.inner) != bool(portal.outer):
        problems.append("portal: inner and outer belong together; name the antennas of both sides")
    if bool(portal.eye_inner) != bool(portal.eye_outer):
        problems.append("portal: eye_inner and eye_outer belong together; one eye tells no order")
    if portal.has_eyes and portal.eye_inner == portal.eye_outer:
        problems.append(f"portal: eye_inner and eye_outer are both input {portal.eye_inner}")
    stated = {epc.upper() for epc in settings.stationary}
    if contrary := sorted(stated & {epc.upper() for epc in settings.not_stationary}):
        problems.append(f"stationary: {contrary[0]} is in not_stationary as well")
    return problems
