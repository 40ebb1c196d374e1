"""Columns of a report: what a value is, its unit, its heading in both languages. Upstream: nothing,
this is vocabulary; downstream: the catalogue, and every format's writer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

Lang = Literal["en", "zh"]
Kind = Literal["code", "words", "date", "instant", "number", "share", "choice", "flag", "money"]
"""`words` is a name in each language; `share` a number from 0 to 1; `instant` has a time zone;
`money` is in the row's `currency`."""
Words = Mapping[Lang, str]
Row = Mapping[str, object]
"""A report's row by the names of its columns; it may hold more than them."""

UNITS: dict[str, Words] = {
    "km": {"en": "km", "zh": "公里"},
    "km/h": {"en": "km/h", "zh": "公里/小时"},
    "h": {"en": "h", "zh": "小时"},
    "min": {"en": "min", "zh": "分钟"},
    "°": {"en": "°", "zh": "°"},
}
YES_NO: dict[bool, Words] = {True: {"en": "yes", "zh": "是"}, False: {"en": "no", "zh": "否"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `name` ends in its unit, as everywhere in Waystock."""

    name: str
    kind: Kind
    heading: Words
    unit: str | None = None
    """A key of UNITS."""
    decimals: int = 0
    is_summed: bool = False
    names: str | None = None
    """The code column that these words are the names of."""
    is_detail: bool = False
    """Left out of tables on a screen."""
    choices: Mapping[str, Words] = field(default_factory=dict[str, Words])

    def title(self, lang: Lang, zone: str) -> str:
        """The heading with its unit, or for an instant the zone that its clock shows."""
        text = self.heading[lang]
        unit = zone if self.kind == "instant" else UNITS[self.unit][lang] if self.unit else None
        if unit is None:
            return text
        return f"{text}（{unit}）" if lang == "zh" else f"{text} ({unit})"


def text_of(column: Column, value: object, lang: Lang) -> str:
    """A value of kind code, words, choice or flag as a person reads it; '' for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES_NO[value][lang]
    if isinstance(value, Mapping):
        return name_in(cast(Mapping[object, object], value), lang)
    words = column.choices.get(str(value))
    return words[lang] if words else str(value)


def name_in(words: Mapping[object, object], lang: Lang) -> str:
    """A name in this language, else in another that it has."""
    found = words.get(lang) or next((one for one in words.values() if one), "")
    return str(found)
