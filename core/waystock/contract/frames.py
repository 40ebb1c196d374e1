"""Frames of the WebSocket `/api/v1/live`, as docs/live-protocol.md tells them: what the published
schema is made of. The api puts server frames together from bodies encoded once for all, so a test
holds what it really sends against these.
"""

from typing import Annotated

import msgspec

from waystock.contract.identifiers import Name, Utc
from waystock.contract.topics import LiveStream

LIVE_PATH = "/api/v1/live"
SESSION_COOKIE = "waystock_session"
TOKEN_CHARS_MAX = 200

FrameId = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
PartNumber = Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class AuthFrame(msgspec.Struct, frozen=True, tag="auth", forbid_unknown_fields=True):
    """Signs in: the first message of a client that has no session cookie, within 5 s."""

    token: Annotated[str, msgspec.Meta(max_length=TOKEN_CHARS_MAX)]
    """As `waystock api token add` printed it."""


class Since(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to where a client has seen a channel."""

    epoch: str
    """As the snapshot gave it."""
    seq: FrameId
    """Of the last snapshot or delta that was applied."""


class SubArgs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a channel."""

    site: Name | None = None
    """Only what this site's screens show; null: everything."""


class SubFrame(msgspec.Struct, frozen=True, tag="sub", forbid_unknown_fields=True):
    """Subscribes to a channel, or anew under an `id` in use."""

    id: FrameId
    """The client's own number for this subscription; all frames about it carry it."""
    ch: LiveStream
    args: SubArgs = SubArgs()
    since: Since | None = None
    """Go on from there where the server still can, else a fresh snapshot comes."""


class UnsubFrame(msgspec.Struct, frozen=True, tag="unsub", forbid_unknown_fields=True):
    """Ends a subscription. A frame of it may still be on its way."""

    id: FrameId


class AckFrame(msgspec.Struct, frozen=True, tag="ack", forbid_unknown_fields=True):
    """Everything of this subscription up to `seq` is applied: room for more."""

    id: FrameId
    seq: FrameId


class SnapFrame(msgspec.Struct, frozen=True, tag="snap"):
    """One part of a snapshot. All parts together replace what the client had of the channel."""

    id: FrameId
    epoch: str
    """Changes when the server starts anew; goes into `since`."""
    seq: FrameId
    part: PartNumber
    """1 … of; the last one is acknowledged."""
    of: PartNumber
    d: tuple[msgspec.Raw, ...]
    """Entities of the channel."""


class DeltaFrame(msgspec.Struct, frozen=True, tag="delta"):
    """What has changed since `prev`."""

    id: FrameId
    seq: FrameId
    prev: FrameId
    """`seq` of the frame before. Not what the client has: it subscribes again without `since`."""
    up: tuple[msgspec.Raw, ...]
    """New or changed entities, each whole."""
    rm: tuple[str, ...]
    """Keys of entities that are no more."""


class BeatFrame(msgspec.Struct, frozen=True, tag="beat"):
    """Every 5 s: the server lives."""

    at: Utc
    """The server's clock."""


class ErrorFrame(msgspec.Struct, frozen=True, tag="error", omit_defaults=True):
    """A client's message was refused; the connection goes on."""

    code: str
    """`bad_message` (can't be used; `message` names the spot) or `too_many` subscriptions."""
    message: str
    id: FrameId | None = None
    """The subscription it is about, if any."""


ClientFrame = AuthFrame | SubFrame | UnsubFrame | AckFrame
ServerFrame = SnapFrame | DeltaFrame | BeatFrame | ErrorFrame
