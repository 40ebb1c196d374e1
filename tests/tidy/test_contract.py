"""The published contract is the code's: who builds on docs/contract must not build on the past."""

from tests.tidy.checkout import ROOT
from waystock.contract.command import files

PUBLISHED = ROOT / "docs/contract"


def test_the_published_contract_is_what_the_code_speaks() -> None:
    made = files()
    drifted = [
        name
        for name, text in made.items()
        if not (PUBLISHED / name).exists() or (PUBLISHED / name).read_text() != text
    ]
    drifted += [path.name for path in PUBLISHED.glob("*.json") if path.name not in made]
    assert not drifted, f"`make contract` writes docs/contract again: {drifted}"
