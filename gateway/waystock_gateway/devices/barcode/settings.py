"""Settings of a barcode scanner, `[ports.barcode]`; every one has a default that fits most."""

from typing import Annotated, Literal

import msgspec

from waystock.contract.events import TEXT_CHARS_MAX


class BarcodeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    framing: Literal["line", "ssi"] = "line"
    """`line`: codes end with one of `terminators` or a pause. `ssi`: Zebra Simple Serial Interface
    packets, acknowledged to the scanner once the reading is safely on disk."""
    terminator: Literal["cr", "lf", "crlf", "etx", "tab", "none", "\r", "\n", "\r\n"] | None = None
    """One terminator; None: any of CR and LF. `none`: only a pause ends a code. `crlf` lets a code
    hold a single CR or LF, as 2D codes do."""
    prefix: str = ""
    """Characters the scanner puts before each code (such as STX, "\\u0002"); cut off."""
    idle_flush_s: Annotated[float, msgspec.Meta(ge=0.01, le=5)] | None = None
    """A pause this long ends a code. Default: 0.1 with terminator `none`, otherwise never; with
    `ssi`, where it gives up on half a packet, 0.1 on a cable and 2 over TCP."""
    length_max: Annotated[int, msgspec.Meta(ge=8, le=TEXT_CHARS_MAX)] = 4096
    """Longer frames are refused and counted as `too_long`."""
    repeat_window_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.5
    """The same code from the same scanner within this time is one reading; 0: never."""
    gs_substitute: str = ""
    """What the scanner sends in place of FNC1/GS (0x1D), such as "~", "|", "^" or "{GS}"."""
    gs_kept: bool = False
    """True once you know that this scanner sends FNC1: a variable-length element that runs to the
    end of the code is then never doubted."""
    encoding: Literal["auto", "utf-8", "latin-1", "gb18030"] = "auto"
    """`auto`: UTF-8, else Latin-1 marked `bad_encoding`."""
    no_read: tuple[str, ...] = ("NOREAD", "NO READ", "NR", "?", "ERROR")
    """What the scanner sends when it saw no code; counted as `no_read`."""
