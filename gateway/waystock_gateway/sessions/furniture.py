"""Tags that belong to the place: those of the settings, and those that a portal has learned because
they were there all the time. Their reads are counted and no more. Upstream: `presence`; what was
learned lies in the outbox file, where `waystock gateway status` shows it.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from waystock.contract.identifiers import Utc
from waystock_gateway.clock import Moment
from waystock_gateway.sessions.presence_settings import PresenceSettings
from waystock_gateway.sessions.session import Outcome

FURNITURE_KEY = "stationary:"
"""How the outbox names what it keeps of a tag that was learned."""
LEARNED_MAX = 2_000
"""Tags that one portal takes for furniture by itself; it learns no more."""


class LearnedTag(msgspec.Struct, frozen=True):
    """As the outbox file keeps it."""

    since: Utc


def read_learned(value: bytes) -> datetime:
    """Since when it counts as furniture."""
    return msgspec.json.decode(value, type=LearnedTag).since


class Furniture:
    """Of one reader."""

    def __init__(self, settings: PresenceSettings, state: dict[str, bytes], now: Moment) -> None:
        self._stated = frozenset(epc.upper() for epc in settings.stationary)
        self._never = frozenset(epc.upper() for epc in settings.not_stationary)
        portal = settings.portal
        self._after_s = portal.stationary_after_s if portal.tells_direction else 0.0
        known = {key.removeprefix(FURNITURE_KEY) for key in state if key.startswith(FURNITURE_KEY)}
        is_learning = self._after_s > 0
        self._undone = {epc for epc in known if epc in self._never or not is_learning}
        self._learned = dict.fromkeys(known - self._undone, now)
        """When each was last heard."""

    def hears(self, epc: str, moment: Moment, outcome: Outcome) -> bool:
        """Whether the read is one of furniture, which is counted and told nobody."""
        if self._undone:
            for undone in self._undone:
                outcome.forget(FURNITURE_KEY + undone)
            self._undone.clear()
        if epc in self._learned:
            self._learned[epc] = moment
        elif epc not in self._stated:
            return False
        outcome.drops["stationary"] += 1
        return True

    def is_learned_after(self, epc: str, present_s: float) -> bool:
        """Whether a tag that has been there for so long is furniture."""
        return (
            0 < self._after_s <= present_s
            and epc not in self._never
            and len(self._learned) < LEARNED_MAX
        )

    def learn(self, epc: str, moment: Moment, outcome: Outcome) -> float:
        """When to look whether it is still there (monotonic)."""
        self._learned[epc] = moment
        outcome.remember(FURNITURE_KEY + epc, msgspec.json.encode(LearnedTag(since=moment.at)))
        return moment.mono_s + self._after_s

    def due_s(self, epc: str) -> float | None:
        """When it has gone, unless it is heard before; None if it is none of the learned."""
        heard = self._learned.get(epc)
        return None if heard is None else heard.mono_s + self._after_s

    def dues(self) -> Iterator[tuple[float, str]]:
        """Of all that are known."""
        return ((heard.mono_s + self._after_s, epc) for epc, heard in self._learned.items())

    def forget(self, epc: str, outcome: Outcome) -> Moment:
        """It has gone; when it was last heard."""
        outcome.forget(FURNITURE_KEY + epc)
        return self._learned.pop(epc)
