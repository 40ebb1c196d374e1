"""Devices that the gateway calls over TCP: boxes with serial ports, and gpsd."""

import socket

from tests.integration.gateway.rig import FakeIngest, GatewayRig, Scanner
from tests.integration.gateway.tcp_devices import LOCALHOST, MakeDevice, tcp_server
from tests.integration.gateway.test_gateway_process import RMC
from tests.support.processes import wait_until


def test_a_scanner_behind_a_box_with_serial_ports_is_read_and_acknowledged(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    with tcp_server() as box:
        path = f"tcp://{LOCALHOST}:{box.port}"
        rig.add_tcp_port("scan-1", "barcode", path, '[ports.barcode]\nframing = "ssi"')
        with rig.running():
            first = box.answer()
            Scanner(first).scan("A")
            first.hang_up()
            Scanner(box.answer()).scan("B")
            wait_until(lambda: ingest.codes() == ["A", "B"], "both scans are in")


def test_a_server_that_is_gone_is_called_again_until_it_is_back(
    rig: GatewayRig, ingest: FakeIngest, free_port: int
) -> None:
    rig.add_tcp_port("gps-1", "nmea", f"tcp://localhost:{free_port}")
    with rig.running():
        wait_until(lambda: "port_away" in rig.logged(), "it is missed", within_s=30)
        with tcp_server(free_port) as unit:
            unit.answer().send(RMC)
            wait_until(lambda: len(ingest.positions()) == 1, "the fix is in")
        wait_until(lambda: rig.logged().count("port_away") == 2, "it is missed again")
        with tcp_server(free_port) as unit:
            unit.answer().send(RMC.replace(b"143252", b"143253").replace(b"*60", b"*61"))
            wait_until(lambda: len(ingest.positions()) == 2, "the next fix is in")
    assert rig.logged().count("port_back") == 2


def test_an_address_in_use_is_waited_for(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    rig.add_tcp_port("pda-1", "barcode", f"tcp-listen://{LOCALHOST}:{free_port}")
    with socket.create_server((LOCALHOST, free_port)), rig.running():
        wait_until(lambda: "Address already in use" in rig.logged(), "it says so", within_s=30)
    pda = device_at(free_port)
    with rig.running():
        pda.call(30)
        pda.send(b"A\n")
        wait_until(lambda: ingest.codes() == ["A"], "the code is in")


def test_a_server_that_never_answers_does_not_keep_the_gateway_from_stopping(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    # TEST-NET-1 is routed nowhere: the call gets no answer, or an error at once.
    rig.add_tcp_port("scan-1", "barcode", "tcp://192.0.2.1:4001")
    with rig.running() as process:
        rig.wait_until_up(ingest)
        process.terminate()
        assert process.wait(5) == 0
    assert "level=error" not in rig.logged()
