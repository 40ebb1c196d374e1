"""The command on files of a folder of its own."""

from pathlib import Path

import pytest

from .recordings import Replay


@pytest.fixture
def replay(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Replay:
    return Replay(tmp_path, capsysbinary)
