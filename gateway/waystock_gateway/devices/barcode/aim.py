"""AIM symbology identifiers (ISO/IEC 15424): the three characters `]cm` that a scanner may put
before a code, and what they promise about its content. Upstream: framing. Downstream: `content`.
"""

from typing import Literal, NamedTuple

Promise = Literal["gs1", "ean", "ean_addon", "ean8", "itf_checked", "link", "any", "none"]
"""What the identifier says the data is. `none`: no identifier was sent."""

_PROMISES: dict[str, Promise] = {
    "]C1": "gs1",
    "]e0": "gs1",
    "]d2": "gs1",
    "]Q3": "gs1",
    "]J1": "gs1",
    "]E0": "ean",
    "]E3": "ean_addon",
    "]E4": "ean8",
    "]I1": "itf_checked",
    "]Q1": "link",
    "]d1": "link",
    "]J0": "link",
}
_SYMBOLOGY_LETTERS = frozenset("ACDEFGHIJKLMNOPQRSTUVXZcdefhjopqstuxz")
"""Code characters that ISO/IEC 15424 assigns."""


class Identified(NamedTuple):
    """A code with its identifier cut off."""

    aim: str
    promise: Promise
    data: str
    known: bool
    """False: the data begins as an identifier does, but no symbology has that letter."""


def identify(text: str) -> Identified:
    """Take the AIM identifier off the front of `text`, if there is one."""
    if not text.startswith("]") or len(text) < 3 or not _is_alphanumeric(text[1:3]):
        return Identified("", "none", text, known=True)
    if text[1] not in _SYMBOLOGY_LETTERS:
        return Identified("", "none", text, known=False)
    aim = text[:3]
    return Identified(aim, _PROMISES.get(aim, "any"), text[3:], known=True)


def _is_alphanumeric(text: str) -> bool:
    return text.isascii() and text.isalnum()
