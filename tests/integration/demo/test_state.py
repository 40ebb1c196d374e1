"""The demo's state folder."""

import stat
from pathlib import Path

import pytest

from waystock_demo.state import Secrets, State, StateInUseError


def test_two_demos_do_not_share_one_folder(tmp_path: Path) -> None:
    with (
        State(tmp_path).locked(fresh=False),
        pytest.raises(StateInUseError, match="another demo"),
        State(tmp_path).locked(fresh=False),
    ):
        pass


def test_passwords_stay_the_same_and_are_for_the_owner_alone(tmp_path: Path) -> None:
    state = State(tmp_path)
    with state.locked(fresh=False):
        kept = state.read_secrets()
        first = kept.password("database")
        state.write_secrets(kept)
    assert state.read_secrets().password("database") == first
    assert first != Secrets().password("database")
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_what_a_killed_demo_said_of_itself_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{}")
    with State(tmp_path).locked(fresh=False):
        assert not (tmp_path / "demo.json").exists()


def test_fresh_forgets_everything_but_only_in_its_own_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    folder = tmp_path / "state"
    state = State(folder)
    with state.locked(fresh=False):
        state.write_secrets(Secrets(worlds=3))
        (folder / "link").symlink_to(outside)
    with state.locked(fresh=True):
        assert state.read_secrets().worlds == 0
    assert (outside / "precious").exists()
