"""The files of the published contract: their examples hold, their references lead somewhere, and a
change of the code is noticed.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.json_schema import problems
from waystock.contract.asyncapi import asyncapi
from waystock.contract.command import files, run
from waystock.contract.events import BATCH_BYTES_MAX, EVENTS_PER_BATCH_MAX, TEXT_CHARS_MAX
from waystock.contract.examples import messages as example_messages
from waystock.contract.schema import definitions
from waystock_api.live.protocol import (
    CLOSE_AUTH,
    CLOSE_TOO_SLOW,
    CLOSE_TRY_LATER,
    CLOSE_UNUSABLE,
)

DOCS = Path(__file__).parents[3] / "docs"


def _problems(name: str, value: Any) -> list[str]:
    """Against the definition of this name, wherever it is published."""
    known = definitions()
    return problems({"$ref": f"#/$defs/{name}", "$defs": known}, value)


@pytest.mark.parametrize("name", sorted(example_messages()))
def test_each_example_of_a_message_is_one(name: str) -> None:
    assert not _problems(name, example_messages()[name])


def test_each_message_shown_to_a_gateways_author_is_one() -> None:
    page = (DOCS / "contract/README.md").read_text()
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    wanted = ["Status", "Hello", "Ack", "Batch", "StockMessage"]
    assert len(shown) == len(wanted)
    for name, value in zip(wanted, shown, strict=True):
        assert not _problems(name, value), value


def test_each_frame_shown_to_a_screens_author_is_one() -> None:
    page = (DOCS / "live-protocol.md").read_text()
    shown = re.findall(r"^([→←]) (.*)$", page, re.MULTILINE)
    assert {json.loads(frame)["type"] for _, frame in shown} == {
        "auth", "sub", "unsub", "ack", "snap", "delta", "beat", "error",
    }  # fmt: skip
    for arrow, text in shown:
        frame = json.loads(text)
        if frame.get("ch") != "weather":
            assert not _problems("ClientFrame" if arrow == "→" else "ServerFrame", frame), text


def test_the_pages_give_the_limits_that_hold() -> None:
    page = (DOCS / "contract/README.md").read_text()
    for limit in (EVENTS_PER_BATCH_MAX, BATCH_BYTES_MAX, TEXT_CHARS_MAX, 16 * BATCH_BYTES_MAX):
        assert f"{limit:,}".replace(",", " ") in page, limit
    protocol_page = (DOCS / "live-protocol.md").read_text()
    for code in (CLOSE_AUTH, CLOSE_TOO_SLOW, CLOSE_TRY_LATER, CLOSE_UNUSABLE):
        assert f"| {code} |" in protocol_page, code


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi()
    text = json.dumps(document)
    references = set(re.findall(r'"\$ref": "([^"]+)"', text))
    assert references
    for reference in references:
        at: Any = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
    assert "prefixItems" not in text, "AsyncAPI's schemas are draft 07, where it means nothing"
    assert set(example_messages()) <= set(document["components"]["messages"])


def test_a_changed_contract_is_noticed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--check", str(tmp_path)]) == 1
    assert not list(tmp_path.iterdir())
    assert run([str(tmp_path)]) == 0
    assert run(["--check", str(tmp_path)]) == 0
    (tmp_path / "ack.schema.json").write_text("{}")
    (tmp_path / "gone.schema.json").write_text("{}")
    capsys.readouterr()
    assert run(["--check", str(tmp_path)]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"file": "ack.schema.json", "state": "different"} in told
    assert {"file": "gone.schema.json", "state": "left over"} in told
    assert len(told) == len(files()) + 1
