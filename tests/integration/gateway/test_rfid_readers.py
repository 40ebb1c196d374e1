"""RFID readers at a real pseudo-terminal and a real broker: their tags arrive."""

import msgspec

from tests.integration.gateway.rig import FakeIngest, GatewayRig
from tests.support.processes import wait_until

CHAFON_INVENTORY = bytes.fromhex("04FF011BB4")
EPC = "3074257BF7194E4000001A85"


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
