"""Track points of a GPX file, version 1.0 or 1.1, one after the other. Upstream: a file of bytes;
downstream: the reader of recordings, which looks at what the texts say.

Names are read without their namespaces, for extensions come in many. A document type is refused:
no GPX file needs one, and its entities are a way to fill the memory.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple
from xml.parsers import expat

_READ_BYTES = 1 << 16
_TEXTS = {
    "time": "time",
    "speed": "speed",
    "course": "course",
    "accuracy": "accuracy",
    "hacc": "accuracy",
}
"""Elements of a track point that say something of a fix; extensions among them."""


class TrackPoint(NamedTuple):
    """One `trkpt` as its texts; what is missing is empty."""

    line: int
    track: str
    """The name of its track."""
    lat: str
    lon: str
    texts: dict[str, str]
    """By time, speed (m/s), course and accuracy (m)."""

    def raw(self) -> str:
        """What it said, in short."""
        return f"lat={self.lat} lon={self.lon} {self.texts}"


class GpxError(ValueError):
    """The file is no GPX, or stops being one at some line."""


def track_points(file: BinaryIO) -> Iterator[TrackPoint]:
    """Each point as it is met. GpxError after the last one that could be read."""
    reader = _Reader()
    while data := file.read(_READ_BYTES):
        yield from reader.feed(data, is_last=False)
    yield from reader.feed(b"", is_last=True)


class _Reader:
    """What the parser has met so far."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._path: list[str] = []
        self._text: list[str] = []
        self._track = ""
        self._point: TrackPoint | None = None
        self._points: list[TrackPoint] = []

    def feed(self, data: bytes, *, is_last: bool) -> Iterator[TrackPoint]:
        """The points that are complete with these bytes; what broke comes after them."""
        broken: GpxError | None = None
        try:
            self._parser.Parse(data, is_last)
        except expat.ExpatError as error:
            broken = GpxError(f"line {error.lineno}: {expat.ErrorString(error.code)}")
        except GpxError as error:
            broken = error
        points, self._points = self._points, []
        yield from points
        if broken is not None:
            raise broken

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if not self._path and local != "gpx":
            raise GpxError(f"the document is a {local!r}, not a 'gpx'")
        self._path.append(local)
        self._text = []
        if local == "trk":
            self._track = ""
        elif local == "trkpt":
            line = self._parser.CurrentLineNumber
            lat, lon = attributes.get("lat", ""), attributes.get("lon", "")
            self._point = TrackPoint(line, self._track, lat, lon, {})

    def _end(self, name: str) -> None:
        local = self._path.pop()
        text = "".join(self._text).strip()
        self._text = []
        if local == "name" and self._path[-1:] == ["trk"]:
            self._track = text
        elif local == "trkpt" and self._point is not None:
            self._points.append(self._point)
            self._point = None
        elif self._point is not None and local.lower() in _TEXTS:
            self._point.texts.setdefault(_TEXTS[local.lower()], text)

    def _data(self, data: str) -> None:
        self._text.append(data)

    def _refuse(self, name: str, *_: object) -> None:
        raise GpxError(f"a document type ({name!r}) is not allowed in a GPX file")
