"""Devices that call the gateway over TCP, as PDAs on Wi-Fi do: what each of them sent arrives whole
and once, whatever the network does, and no peer can take the port, the memory or the name of
another.
"""

import signal
import time
from collections.abc import Sequence

import psutil
import pytest

from tests.integration.gateway.rig import FakeIngest, GatewayRig, Scanner
from tests.integration.gateway.tcp_devices import MakeDevice, TcpDevice
from tests.integration.gateway.test_gateway_process import health_value
from tests.support.processes import wait_until
from waystock.contract.events import Barcode
from waystock_demo.process import Process

FLOOD_BYTES = 30_000_000
FLOOD_S_MAX = 2.0
GROWTH_BYTES_MAX = 40_000_000


def add_listener(rig: GatewayRig, port: int, settings: str = "", device: str = "pda-dock") -> None:
    path = f"tcp-listen://127.0.0.1:{port}"
    rig.add_tcp_port(device, "barcode", path, settings)


def rejects(ingest: FakeIngest, reason: str) -> int:
    return max((status.rejects.get(reason, 0) for status in ingest.statuses), default=0)


def devices_of_codes(ingest: FakeIngest) -> dict[str, str]:
    return {event.data: event.device for event in ingest.of(Barcode) if isinstance(event, Barcode)}


def test_a_code_is_whole_wherever_the_network_cuts_it(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port)
    pda = device_at(free_port)
    codes = [f"010950110153000310LOT{cut:02d}" for cut in range(28)]
    with rig.running():
        pda.call(30)
        for cut, code in enumerate(codes):
            frame = f"]C1{code}\r\n".encode()
            pda.send(frame[:cut])
            # So that both halves are reads of their own; where they are not, the code is the same.
            time.sleep(0.003)
            pda.send(frame[cut:])
        wait_until(lambda: len(ingest.codes()) >= len(codes), "all codes are in")
    assert ingest.codes() == codes


def test_a_half_code_of_one_peer_never_joins_another_s(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port)
    peers = [device_at(free_port, f"127.0.0.{n}") for n in (1, 1, 2)]
    with rig.running():
        for letter, peer in zip("ABC", peers, strict=True):
            peer.call(30)
            peer.send(f"{letter}-FIRST-".encode())
        for letter, peer in zip("ABC", peers, strict=True):
            peer.send(f"{letter}-SECOND\n".encode())
        wait_until(lambda: len(ingest.codes()) == 3, "all three are in")
    assert sorted(ingest.codes()) == [f"{x}-FIRST-{x}-SECOND" for x in "ABC"]
    assert set(devices_of_codes(ingest).values()) == {"pda-dock"}


def test_two_people_who_scan_the_same_code_at_once_are_two_readings(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port, "[ports.barcode]\nrepeat_window_s = 30")
    one, other = device_at(free_port, "127.0.0.1"), device_at(free_port, "127.0.0.2")
    with rig.running():
        one.call(30)
        other.call()
        one.send(b"SAME\nSAME\n")
        other.send(b"SAME\nSAME\nEND\n")
        wait_until(lambda: "END" in ingest.codes(), "the last code is in")
        wait_until(lambda: len(ingest.codes()) == 3, "each of them counts once")
    assert sorted(ingest.codes()) == ["END", "SAME", "SAME"]


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
def test_a_peer_that_is_gone_in_the_middle_of_a_code_leaves_a_reject(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice, is_reset: bool
) -> None:
    add_listener(rig, free_port)
    pda = device_at(free_port)
    with rig.running():
        pda.call(30)
        pda.send(b"WHOLE\nHAL")
        wait_until(lambda: ingest.codes() == ["WHOLE"], "the first code is in")
        if is_reset:
            pda.break_down()
        else:
            pda.hang_up()
        pda.send(b"NEXT\n")
        wait_until(lambda: ingest.codes() == ["WHOLE", "NEXT"], "it goes on")
        wait_until(lambda: rejects(ingest, "unterminated") == 1, "the half is told of")
    assert "port_away" not in rig.logged()


def test_a_code_without_line_end_is_ended_by_hanging_up(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port, '[ports.barcode]\nterminator = "none"\nidle_flush_s = 5')
    with rig.running():
        for code in ("ONE", "TWO"):
            pda = device_at(free_port)
            pda.call(30)
            pda.send(code.encode())
            pda.hang_up()
        wait_until(lambda: len(ingest.codes()) == 2, "both codes are in", within_s=4)


def test_each_address_is_the_device_it_was_given_and_a_stranger_is_none(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    names = '[ports.tcp.peer_names]\n"127.0.0.2" = "pda-2"\n"127.0.0.3" = "pda-3"'
    add_listener(rig, free_port, names)
    second, third, stranger = (device_at(free_port, f"127.0.0.{n}") for n in (2, 3, 4))
    with rig.running():
        second.call(30)
        second.send(b"A\n")
        third.send(b"B\n")
        for _ in range(2):
            stranger.send(b"C\n")
            assert stranger.is_hung_up()
        wait_until(lambda: len(ingest.codes()) == 2, "both are in")
        wait_until(
            lambda: health_value(ingest, "pda-dock", "drops_unknown_peer_total") == 2,
            "the stranger is counted",
        )
        wait_until(
            lambda: health_value(ingest, "pda-2", "notices_connected_total") == 1, "so is who may"
        )
        assert "pda-dock" not in devices_of_codes(ingest).values()
    assert devices_of_codes(ingest) == {"A": "pda-2", "B": "pda-3"}
    assert rig.logged().count("127.0.0.4") == 1, "it is named in the log, once"


def test_a_device_that_calls_again_is_not_shut_out_by_its_dead_connection(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port, '[ports.tcp]\npeers_max = 1\npeer_names = {"127.0.0.2" = "pda-2"}')
    dead, alive = device_at(free_port, "127.0.0.2"), device_at(free_port, "127.0.0.2")
    with rig.running():
        dead.call(30)
        dead.send(b"A\nHAL")
        wait_until(lambda: ingest.codes() == ["A"], "it is heard")
        alive.send(b"B\n")
        wait_until(lambda: ingest.codes() == ["A", "B"], "its new connection counts")
        assert dead.is_hung_up()
        wait_until(lambda: rejects(ingest, "unterminated") == 1, "the old one's half is told of")


def test_a_pda_that_calls_anew_for_each_scan_loses_none(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    names = '[ports.tcp.peer_names]\n"127.0.0.2" = "pda-2"\n[ports.barcode]\nterminator = "none"'
    add_listener(rig, free_port, names)
    codes = [f"CODE-{n}" for n in range(60)]
    with rig.running():
        device_at(free_port, "127.0.0.2").call(30)
        for code in codes:
            pda = device_at(free_port, "127.0.0.2")
            pda.send(code.encode())
            pda.hang_up()
        wait_until(lambda: len(ingest.codes()) >= len(codes), "all codes are in")
    assert ingest.codes() == codes


def test_what_came_before_a_gateway_is_stopped_is_kept(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port)
    pdas = [device_at(free_port, f"127.0.0.{n}") for n in range(2, 7)]
    with rig.running() as process:
        for pda in pdas:
            pda.call(30)
        process.send_signal(signal.SIGSTOP)
        for pda in pdas:
            pda.send(b"BEFORE\n")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        assert process.wait(10) == 0
    with rig.running():
        wait_until(lambda: ingest.codes() == ["BEFORE"] * 5, "all of it is in")


def test_more_peers_than_allowed_are_refused_until_one_hangs_up(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port, "[ports.tcp]\npeers_max = 2")
    first, second, third = (device_at(free_port, f"127.0.0.{n}") for n in (1, 2, 3))
    with rig.running():
        first.call(30)
        second.call()
        third.call()
        assert third.is_hung_up()
        second.send(b"B\n")
        first.hang_up()

        def is_let_in() -> bool:
            third.send(b"C\n")
            return "C" in ingest.codes()

        wait_until(is_let_in, "there is room again", every_s=0.1)
        wait_until(
            lambda: health_value(ingest, "pda-dock", "drops_too_many_peers_total") >= 1,
            "it was counted",
        )


def test_a_peer_that_says_nothing_is_hung_up_where_that_is_asked_for(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port, "[ports.tcp]\nidle_s = 0.5")
    silent, talks = device_at(free_port, "127.0.0.2"), device_at(free_port, "127.0.0.3")
    with rig.running():
        silent.call(30)
        talks.call()
        until_s = time.monotonic() + 10
        while not silent.is_hung_up(0.1):
            talks.send(b"X\n")
            assert time.monotonic() < until_s, "the silent one was never hung up"
        talks.send(b"STILL HERE\n")
        wait_until(lambda: "STILL HERE" in ingest.codes(), "who talks is kept")


def test_a_peer_that_is_gone_without_a_word_is_noticed(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port, "[ports.tcp]\nkeepalive_s = 1\npeers_max = 1")
    dead, next_one = device_at(free_port, "127.0.0.2"), device_at(free_port, "127.0.0.3")
    with rig.running():
        dead.call(30)
        dead.send(b"A\nHAL")
        wait_until(lambda: ingest.codes() == ["A"], "it is heard")
        try:
            dead.die()
        except PermissionError:
            pytest.skip("only who may administer the network can make a socket vanish")
        wait_until(lambda: rejects(ingest, "unterminated") == 1, "its half is told of")
        next_one.send(b"B\n")
        wait_until(lambda: "B" in ingest.codes(), "its place is free")


@pytest.mark.parametrize("unit", [b"x", b"1234567890\n"], ids=["endless code", "codes"])
def test_a_peer_that_floods_fills_no_memory_and_shuts_nobody_out(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice, unit: bytes
) -> None:
    add_listener(rig, free_port)
    flooder, worker = device_at(free_port, "127.0.0.2"), device_at(free_port, "127.0.0.3")
    with rig.running() as process:
        flooder.call(30)
        worker.call()
        worker.send(b"BEFORE\n")
        wait_until(lambda: "BEFORE" in ingest.codes(), "the worker is heard")
        before = resident_bytes(process)
        sent, until_s = 0, time.monotonic() + FLOOD_S_MAX
        while sent < FLOOD_BYTES and time.monotonic() < until_s:
            sent += flooder.send_what_fits(unit * (65_536 // len(unit)))
        worker.send(b"MEANWHILE\n")
        wait_until(lambda: "MEANWHILE" in ingest.codes(), "so is he beside it", within_s=20)
        assert resident_bytes(process) - before < GROWTH_BYTES_MAX
        assert process.poll() is None
        flooder.hang_up()


def resident_bytes(process: Process) -> int:
    return int(psutil.Process(process.pid).memory_info().rss)


def test_ssi_over_tcp_is_acknowledged_and_a_resend_without_ack_is_one_reading(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port, '[ports.barcode]\nframing = "ssi"\nrepeat_window_s = 0')
    pda = Scanner(device_at(free_port))
    with rig.running():
        pda.device.call(30)
        pda.scan("A")
        for _ in range(2):
            pda.device.break_down()
            pda.device.send(pda.packet("A", again=True))
            assert b"\xd0" in pda.device.receive(5), "what was kept is acknowledged again"
        pda.scan("B")
        wait_until(lambda: "B" in ingest.codes(), "the second code is in")
    assert ingest.codes() == ["A", "B"]


def test_no_scan_over_tcp_is_lost_or_doubled_when_the_gateway_is_killed(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    add_listener(rig, free_port, '[ports.barcode]\nframing = "ssi"\nrepeat_window_s = 0')
    pdas = [Scanner(device_at(free_port, f"127.0.0.{n}")) for n in (2, 3)]
    with rig.running() as process:
        for n in range(8):
            for who, pda in enumerate(pdas):
                pda.scan(f"P{who}-{n}")
        for who, pda in enumerate(pdas):
            pda.device.send(pda.packet(f"P{who}-LAST"))
        process.kill()
        process.wait()
    with rig.running():
        for who, pda in enumerate(pdas):
            scan_again(pda, f"P{who}-LAST")
        wait_until(lambda: sorted(ingest.codes()) == taken_of(pdas), "all scans are in once")
    assert ingest.conflicts == 0


def taken_of(pdas: Sequence[Scanner[TcpDevice]]) -> list[str]:
    return sorted(code for pda in pdas for code in pda.taken)


def scan_again(pda: Scanner[TcpDevice], code: str) -> None:
    """A scanner that has not seen the ACK sends the code again, marked, until it does."""
    pda.device.hang_up()
    pda.device.call(30)

    def is_acknowledged() -> bool:
        pda.device.send(pda.packet(code, again=True))
        return b"\xd0" in pda.device.receive(pda.RESEND_S)

    wait_until(is_acknowledged, f"{code} is acknowledged")
    pda.taken.append(code)


def test_a_changed_listener_is_opened_anew_and_other_peers_stay_connected(
    rig: GatewayRig, ingest: FakeIngest, free_port: int, device_at: MakeDevice
) -> None:
    other_port = free_port + 1 if free_port < 60_000 else free_port - 1
    stays, changes = device_at(free_port, "127.0.0.2"), device_at(other_port, "127.0.0.3")
    add_listener(rig, free_port, device="dock-1")
    add_listener(rig, other_port, "[ports.tcp]\nidle_s = 600", device="dock-2")
    with rig.running() as process:
        stays.call(30)
        changes.call(30)
        stays.send(b"A-")
        text = rig.config.read_text()
        rig.config.write_text(text.replace("idle_s = 600", 'peer_names = {"127.0.0.3" = "pda-3"}'))
        process.send_signal(signal.SIGHUP)
        assert changes.is_hung_up()
        changes.call()
        changes.send(b"B\n")
        stays.send(b"A\n")
        wait_until(lambda: len(ingest.codes()) == 2, "both are in")
    assert devices_of_codes(ingest) == {"A-A": "dock-1", "B": "pda-3"}
