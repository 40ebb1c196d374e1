"""A wrong configuration is refused whole, before anything is opened, and says where and what."""

from pathlib import Path

import pytest

from waystock_gateway.errors import SettingsError
from waystock_gateway.settings import load_settings
from waystock_gateway.settings_page import page, undescribed

GOOD = """
[gateway]
site = "sha"
gateway = "gw-dock"
data_dir = "/tmp/nowhere"
[uplink]
url = "mqtt://gw:se%40cret@127.0.0.1:1884"
[[ports]]
device = "scan-1"
decoder = "barcode"
path = "/dev/serial/by-id/*"
[ports.barcode]
framing = "ssi"
terminator = "\\r\\n"
[[ports]]
device = "gps-1"
decoder = "nmea"
path = "/dev/ttyS0"
baud = 9600
[[mqtt_sources]]
topic = "trackers/{device}/fix"
"""
SAMPLES = Path(__file__).parents[3] / "gateway" / "waystock_gateway" / "devices"


def write(folder: Path, text: str) -> Path:
    path = folder / "gateway.toml"
    path.write_text(text)
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, GOOD), {})
    assert [port.device for port in settings.ports] == ["scan-1", "gps-1"]
    assert settings.ports[0].barcode.framing == "ssi"
    assert settings.ports[1].baud == 9600


def test_the_environment_replaces_broker_and_folder(tmp_path: Path) -> None:
    environment = {"WAYSTOCK_MQTT_URL": "mqtt://elsewhere", "WAYSTOCK_GATEWAY_DATA_DIR": "/d"}
    settings = load_settings(write(tmp_path, GOOD), environment)
    assert (settings.uplink.url, settings.gateway.data_dir) == ("mqtt://elsewhere", "/d")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('site = "sha"', 'site = "Shanghai!"', "$.gateway.site"),
        ('site = "sha"', "", "site"),
        ("baud = 9600", 'baud = "fast"', "$.ports[1].baud"),
        ("baud = 9600", "bauds = 9600", "bauds"),
        ('decoder = "nmea"', 'decoder = "gps"', "$.ports[1].decoder"),
        ('framing = "ssi"', 'framing = "zebra"', "$.ports[0].barcode.framing"),
        ('device = "gps-1"', 'device = "scan-1"', "ports[1].device"),
        ("trackers/{device}/fix", "trackers/x/fix", "mqtt_sources[0].topic"),
        ("mqtt://gw:se%40cret@127.0.0.1:1884", "http://127.0.0.1", "uplink.url"),
        ("[gateway]", "[gateway", "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert place in str(caught.value)


def test_a_password_never_gets_into_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("mqtt://gw:se%40cret@", "ftp://gw:se%40cret@"))
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert "cret" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gateway\.toml"):
        load_settings(tmp_path / "gateway.toml", {})


@pytest.mark.parametrize(
    "sample", sorted(SAMPLES.glob("*/sample.toml")), ids=lambda p: p.parent.name
)
def test_every_sample_configuration_is_accepted(sample: Path) -> None:
    load_settings(sample, {})


def test_every_device_kind_has_its_page_and_sample() -> None:
    kinds = [path.parent for path in SAMPLES.glob("*/decoder.py")]
    assert len(kinds) >= 8
    for kind in kinds:
        assert (kind / "README.md").stat().st_size > 500, kind.name
        assert (kind / "sample.toml").exists(), kind.name


def test_every_setting_is_explained_and_the_page_is_todays() -> None:
    assert not undescribed()
    shown = (Path(__file__).parents[3] / "docs" / "gateway-settings.md").read_text()
    assert shown == page(), "waystock gateway settings > docs/gateway-settings.md"
