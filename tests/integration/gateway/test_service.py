"""The systemd unit: a box that starts it must get a confined service with the right paths."""

import shutil
import subprocess
from pathlib import Path

import pytest

from waystock_gateway.settings import GatewaySettings

UNIT = Path(__file__).parents[3] / "deploy" / "systemd" / "waystock-gateway.service"


def entries() -> dict[str, list[str]]:
    """Key → values, in order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


def test_the_service_is_confined_and_runs_as_a_plain_user() -> None:
    unit = entries()
    for key in ("DynamicUser", "NoNewPrivileges", "ProtectHome", "PrivateTmp", "RestrictRealtime"):
        assert unit[key] == ["yes"], key
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["CapabilityBoundingSet"] == [""]
    assert "User" not in unit, "DynamicUser gives one"


def test_the_service_keeps_readings_where_the_gateway_does_and_starts_again_for_ever() -> None:
    unit = entries()
    data_dir = GatewaySettings(site="s", gateway="g").data_dir
    assert f"/var/lib/{unit['StateDirectory'][0]}" == data_dir
    assert (unit["Restart"], unit["StartLimitIntervalSec"]) == (["always"], ["0"])
    assert unit["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_systemd_itself_finds_no_fault(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("this machine has no systemd")
    copy = tmp_path / UNIT.name
    text = UNIT.read_text().replace("/opt/waystock/bin/waystock", "/bin/true")
    copy.write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
