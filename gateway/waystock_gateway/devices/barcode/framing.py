"""How the codes of one scanner are told apart, as its settings say. Downstream: `decoder`."""

from waystock_gateway.devices.barcode.settings import BarcodeSettings
from waystock_gateway.devices.line_framing import LineFraming

_TERMINATORS: dict[str, tuple[bytes, ...]] = {
    "cr": (b"\r",),
    "lf": (b"\n",),
    "crlf": (b"\r\n",),
    "etx": (b"\x03",),
    "tab": (b"\t",),
    "none": (),
}


def make_framing(settings: BarcodeSettings) -> LineFraming:
    """For a scanner that does not speak SSI."""
    prefix = settings.prefix.encode("latin-1", "replace")
    return LineFraming(terminators_of(settings), settings.length_max, prefix)


def terminators_of(settings: BarcodeSettings) -> tuple[bytes, ...]:
    """The byte strings that end a code."""
    if settings.terminator is None:
        return (b"\r", b"\n")
    named = _TERMINATORS.get(settings.terminator)
    return (settings.terminator.encode(),) if named is None else named
