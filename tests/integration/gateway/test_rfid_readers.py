"""RFID readers at a real pseudo-terminal and a real broker: their tags arrive."""

from contextlib import closing

import msgspec

from tests.integration.gateway.rig import FakeIngest, GatewayRig
from tests.support.processes import wait_until
from waystock_gateway.inspect_command import OUTBOX_FILE, outbox_status
from waystock_gateway.outbox_reader import OutboxReader

CHAFON_INVENTORY = bytes.fromhex("04FF011BB4")
EPC = "3074257BF7194E4000001A85"
WALL = "E28011700000020F"


def test_a_chafon_reader_is_asked_again_and_again_and_its_tags_arrive(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    reader = rig.add_port("rfid-2", "chafon")
    answer = bytes.fromhex("13000101010C3074257BF7194E4000001A859382")
    with rig.running():
        wait_until(lambda: CHAFON_INVENTORY in reader.receive(0.1), "inventory is asked for")
        reader.send(answer)
        wait_until(lambda: CHAFON_INVENTORY in reader.receive(0.1), "it is asked for again")
        wait_until(lambda: ingest.presences() == [(EPC, "arrived")], "tag arrived")


def test_a_reader_that_publishes_json_reaches_ingest(rig: GatewayRig, ingest: FakeIngest) -> None:
    rig.add_impinj_readers()
    event = {"epcHex": EPC, "antennaPort": 1, "peakRssiCdbm": -5400}
    message = msgspec.json.encode({"eventType": "tagInventory", "tagInventoryEvent": event})

    def heard() -> bool:
        ingest.publish("impinj/door-1/events", message)
        return ingest.presences() == [(EPC, "arrived")]

    with rig.running():
        wait_until(heard, "tag arrived", every_s=0.1)


def test_a_portal_tells_which_way_and_what_it_took_for_furniture_is_shown_and_undone(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    rig.add_impinj_readers(
        "absence_s = 1\nabsence_s_min = 0.3\n[mqtt_sources.presence.portal]\n"
        "inner = [1]\nouter = [2]\nstationary_after_s = 1"
    )

    def hear(epc: str, antenna: int, second: float) -> None:
        event = {"epcHex": epc, "antennaPort": antenna, "peakRssiCdbm": -5400}
        stamp = f"2026-11-23T06:01:{second:06.3f}Z"
        message = {
            "eventType": "tagInventory",
            "timestamp": stamp,
            "tagInventoryEvent": event,
        }
        ingest.publish("impinj/door-1/events", msgspec.json.encode(message))

    def furniture() -> dict[str, str]:
        hear(WALL, 1, 30.0)
        path = rig.data / OUTBOX_FILE
        with closing(OutboxReader(path)) as reader:
            return outbox_status(path, reader)["stationary"].get("door-1", {})

    with rig.running():
        rig.wait_until_up(ingest)
        for number, antenna in enumerate([1] * 6 + [2] * 6):
            hear(EPC, antenna, 2 + number / 10)
        wait_until(lambda: ingest.directions() == [(EPC, "out")], "direction is told")
        wait_until(lambda: list(furniture()) == [WALL], "furniture is learned", every_s=0.1)
    assert [one.epc for one in ingest.rfid() if one.stationary] == [WALL]
    text = rig.config.read_text()
    rig.config.write_text(
        text.replace("absence_s = 1\n", f'absence_s = 1\nnot_stationary = ["{WALL}"]\n')
    )
    with rig.running():
        rig.wait_until_up(ingest)
        wait_until(lambda: not furniture(), "it is undone", every_s=0.1)
