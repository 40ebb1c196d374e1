"""A wrong configuration is refused whole, before anything is opened, and says where and what."""

from pathlib import Path

import pytest

from waystock_gateway.errors import SettingsError
from waystock_gateway.settings import load_settings, silent_after_s
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
        ("/dev/serial/by-id/*", "tcp://scanner", "ports[0].path"),
        ("/dev/serial/by-id/*", "udp://0.0.0.0:4001", "ports[0].path"),
        ('decoder = "nmea"', 'decoder = "gpsd"', "ports[1].path"),
        ("/dev/ttyS0", "tcp-listen://127.0.0.1:4001", "ports[1].tcp.peers_max"),
        (
            'framing = "ssi"',
            'framing = "ssi"\n[ports.tcp.peer_names]\n"10.0.0.1" = "a"',
            "tcp.peer",
        ),
        ("[gateway]", "[gateway", "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert place in str(caught.value)


LISTENER = """
[[ports]]
device = "{device}"
decoder = "barcode"
path = "{path}"
[ports.tcp.peer_names]
"{address}" = "{peer}"
"""


@pytest.mark.parametrize(
    ("second", "place"),
    [
        (("dock-2", "tcp-listen://10.0.0.1:4001", "10.0.4.2", "pda-2"), "ports[3].path"),
        (("dock-2", "tcp-listen://0.0.0.0:4002", "10.0.4.2", "pda-1"), "ports[3].tcp.peer_names"),
        (("dock-2", "tcp-listen://0.0.0.0:4002", "10.0.4.2", "gps-1"), "ports[3].tcp.peer_names"),
        (("dock-2", "tcp-listen://0.0.0.0:4002", "pda-2.local", "pda-2"), "pda-2.local"),
        (("dock-2", "tcp-listen://0.0.0.0:4002", "10.0.4.2", "PDA 2"), "$.ports[3].tcp.peer_names"),
    ],
    ids=["same port", "same device", "another port's device", "no address", "no name"],
)
def test_listeners_that_get_in_each_other_s_way_are_told(
    tmp_path: Path, second: tuple[str, str, str, str], place: str
) -> None:
    ports = [
        LISTENER.format(device=device, path=path, address=address, peer=peer)
        for device, path, address, peer in (
            ("dock-1", "tcp-listen://0.0.0.0:4001", "10.0.4.1", "pda-1"),
            second,
        )
    ]
    text = GOOD.replace("[[mqtt_sources]]", "".join(ports) + "[[mqtt_sources]]")
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path, text), {})
    assert place in str(caught.value)


def test_each_named_peer_is_missed_by_its_own_name(tmp_path: Path) -> None:
    port = LISTENER.format(
        device="dock-1", path="tcp-listen://0.0.0.0:4001", address="10.0.4.1", peer="pda-1"
    ).replace("[ports.tcp", "silent_after_s = 5\n[ports.tcp")
    text = GOOD.replace("[[mqtt_sources]]", port + "[[mqtt_sources]]")
    assert silent_after_s(load_settings(write(tmp_path, text), {})) == {"pda-1": 5.0}


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
