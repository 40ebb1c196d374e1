"""A gateway in service: told when a device falls silent, configured while it runs."""

import signal

from tests.integration.gateway.rig import FakeIngest, GatewayRig, PtyDevice, Scanner
from tests.integration.gateway.test_gateway_process import RMC
from tests.support.processes import wait_until


def test_a_device_that_falls_silent_is_reported_until_it_speaks_again(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    gps = rig.add_port("gps-1", "nmea")
    rig.config.write_text(
        rig.config.read_text().replace("[ports.nmea]", "silent_after_s = 2\n[ports.nmea]")
    )
    with rig.running():
        wait_until(
            lambda: any(status.silent == ("gps-1",) for status in ingest.statuses), "it is missed"
        )
        assert rig.logged().count("device_silent") == 1

        def speaks() -> bool:
            gps.send(RMC)
            return not ingest.statuses[-1].silent and "device_speaks_again" in rig.logged()

        # More slowly than `idle_flush_s`, or the one instant told again and again is never closed.
        wait_until(speaks, "it is heard again", every_s=0.5)


def test_a_changed_port_is_opened_anew_and_the_others_go_on(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    stays, changes = rig.add_scanner("scan-1"), rig.add_scanner("scan-2")
    with rig.running() as process:
        stays.scan("A")
        changes.scan("B")
        moved = PtyDevice(rig.folder / "elsewhere")
        text = rig.config.read_text().replace(str(changes.device.path), str(moved.path))
        rig.config.write_text(text)
        third = rig.add_scanner("scan-3")
        process.send_signal(signal.SIGHUP)
        Scanner(moved).scan("C")
        stays.scan("D")
        third.scan("E")
        wait_until(lambda: len(ingest.codes()) == 5, "all scans are in")
        [line] = [line for line in rig.logged().splitlines() if "settings_reloaded" in line]
        assert "scan-1" not in line
        assert process.poll() is None
    moved.unplug()


def test_a_bad_file_is_refused_aloud_and_the_gateway_goes_on_as_it_was(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    scanner = rig.add_scanner()
    with rig.running() as process:
        scanner.scan("A")
        rig.config.write_text(rig.config.read_text().replace("framing", "faming"))
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "settings_refused" in rig.logged(), "it says so")
        assert "faming" in rig.logged()
        scanner.scan("B")
        wait_until(lambda: ingest.codes() == ["A", "B"], "both scans are in")
