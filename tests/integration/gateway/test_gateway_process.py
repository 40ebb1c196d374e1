"""The gateway as a process between real pseudo-terminals and a real broker: what a device was told
to be kept arrives once, whatever is killed or unplugged.
"""

import os
import re
import resource
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.integration.gateway.rig import FakeIngest, GatewayRig, fake_ingest
from tests.support.brokers import Broker
from tests.support.processes import wait_until
from waystock.contract.events import Health, Position

NOTICE = bytes.fromhex("BB02220011C9340030751FEB705C5904E3D50D703A76EF7E")
EPC = "30751FEB705C5904E3D50D70"
RMC = b"$GPRMC,143252.00,A,4002.10513,N,07531.20562,W,0.016,,241013,,,A*60\r\n"


def test_a_scan_reaches_ingest_and_the_scanner_gets_its_ack(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    scanner = rig.add_scanner()
    with rig.running():
        scanner.scan("]C1010950110153000310LOT7")
        wait_until(lambda: ingest.codes() == ["010950110153000310LOT7"], "the scan is in")
    assert "level=error" not in rig.logged()


def test_every_kind_of_device_reaches_ingest(rig: GatewayRig, ingest: FakeIngest) -> None:
    gps = rig.add_port("gps-1", "nmea")
    reader = rig.add_port("rfid-1", "r200", "absence_s = 0.3")
    rig.add_trackers()
    with rig.running():
        wait_until(lambda: b"\xbb\x00\x27" in reader.receive(0.1), "inventory is started")
        reader.send(NOTICE * 3)
        gps.send(RMC)
        wait_until_listening(ingest)
        wait_until(
            lambda: {p.device for p in ingest.positions()} == {"gps-1", "truck-0"},
            "both positions are in",
        )
        wait_until(
            lambda: ingest.presences() == [(EPC, "arrived"), (EPC, "departed")], "tag came and went"
        )


def test_no_scan_is_lost_or_doubled_when_the_gateway_is_killed(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    scanner = rig.add_scanner()
    for life in range(4):
        with rig.running() as process:
            for n in range(15):
                if life < 3 and n == 7 + life:
                    scanner.device.send(scanner.packet(f"C{life}-{n}"))
                    process.kill()
                    process.wait()
                    break
                scanner.scan(f"C{life}-{n}")
        if life < 3:
            with rig.running():
                resend = f"C{life}-{7 + life}"
                while scanner.taken[-1:] != [resend]:
                    scanner.device.send(scanner.packet(resend, again=True))
                    if b"\xd0" in scanner.device.receive(1.0):
                        scanner.taken.append(resend)
                scanner.device.forget_input()
    wait_until(lambda: sorted(ingest.codes()) == sorted(scanner.taken), "all scans are in once")
    assert ingest.codes() == scanner.taken
    assert ingest.conflicts == 0


def test_a_tag_that_is_heard_all_day_does_not_wear_out_the_disk(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    reader = rig.add_port("rfid-1", "r200")
    rig.config.write_text(rig.config.read_text().replace("health_s = 1", "health_s = 60"))
    with rig.running() as process:
        wait_until(lambda: b"\xbb\x00\x27" in reader.receive(0.1), "inventory is started")
        reader.send(NOTICE)
        wait_until(lambda: ingest.presences() == [(EPC, "arrived")], "tag arrived")
        before = written_bytes(process.pid)
        for _ in range(100):
            reader.send(NOTICE)
            reader.receive(0.005)
        assert written_bytes(process.pid) - before < 100_000


def written_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    raise AssertionError("the kernel does not count what is written")


def test_a_tag_that_stays_is_not_reported_again_by_a_restarted_gateway(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    reader = rig.add_port("rfid-1", "r200", "absence_s = 0.5")
    with rig.running() as process:
        wait_until(lambda: reader.receive(0.1), "inventory is started")
        reader.send(NOTICE)
        wait_until(lambda: ingest.presences() == [(EPC, "arrived")], "tag arrived")
        process.kill()
        process.wait()
    with rig.running():
        wait_until(lambda: b"\xbb\x00\x27" in reader.receive(0.1), "inventory is started again")
        reader.send(NOTICE)
        wait_until(
            lambda: ingest.presences() == [(EPC, "arrived"), (EPC, "departed")], "tag departed once"
        )


def test_a_tracker_s_message_survives_a_killed_gateway_and_comes_once(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    rig.add_trackers()
    times = [datetime(2026, 11, 23, 6, 0, second, tzinfo=UTC) for second in range(20)]
    with rig.running() as process:
        wait_until_listening(ingest)
        send_fixes(ingest, times[:10])
        wait_until(lambda: of_truck(ingest), "the first fix is in")
        process.kill()
        process.wait()
    send_fixes(ingest, times[10:])
    with rig.running():
        wait_until(lambda: len(of_truck(ingest)) == 20, "all fixes are in")
    assert sorted(p.time for p in of_truck(ingest)) == times


def of_truck(ingest: FakeIngest) -> list[Position]:
    return [position for position in ingest.positions() if position.device == "truck-9"]


def wait_until_listening(ingest: FakeIngest) -> None:
    """Until a message of another truck comes through: the gateway has subscribed."""

    def probe() -> bool:
        payload = {"lat": 31.2, "lon": 121.4, "time": time.time()}
        ingest.publish("trackers/truck-0/fix", msgspec.json.encode(payload))
        return any(position.device == "truck-0" for position in ingest.positions())

    wait_until(probe, "the gateway listens to trackers", every_s=0.1)


def send_fixes(ingest: FakeIngest, times: list[datetime]) -> None:
    for moment in times:
        payload = {"lat": 31.2, "lon": 121.4, "time": moment.isoformat()}
        ingest.publish("trackers/truck-9/fix", msgspec.json.encode(payload))


def test_readings_wait_on_disk_while_ingest_is_away(rig: GatewayRig, ingest: FakeIngest) -> None:
    scanner = rig.add_scanner()
    ingest.willing.clear()
    with rig.running():
        for n in range(20):
            scanner.scan(f"C{n}")
        wait_until(lambda: ingest.batches > 0, "batches are sent")
        ingest.willing.set()
        wait_until(lambda: ingest.codes() == scanner.taken, "all scans are in", within_s=15)


def test_a_killed_broker_costs_nothing(
    rig: GatewayRig, ingest: FakeIngest, nats_broker: Broker
) -> None:
    scanner = rig.add_scanner()
    with rig.running():
        scanner.scan("BEFORE")
        nats_broker.kill()
        scanner.scan("WHILE")
        nats_broker.start()
        scanner.scan("AFTER")
        wait_until(lambda: len(ingest.codes()) == 3, "all scans are in", within_s=20)
    assert ingest.codes() == ["BEFORE", "WHILE", "AFTER"]


def test_mosquitto_serves_as_well(tmp_path: Path, mosquitto_broker: Broker) -> None:
    rig = GatewayRig(tmp_path, mosquitto_broker.url)
    scanner = rig.add_scanner()
    with fake_ingest(mosquitto_broker.url) as ingest, rig.running():
        scanner.scan("A")
        wait_until(lambda: ingest.codes() == ["A"], "the scan is in")
    rig.close()


def test_mqtt_5_serves_as_well(tmp_path: Path, mosquitto_broker: Broker) -> None:
    rig = GatewayRig(tmp_path, mosquitto_broker.url)
    rig.config.write_text(rig.config.read_text() + 'mqtt_version = "5"\ndeflate = true\n')
    scanner = rig.add_scanner()
    rig.add_trackers()
    with fake_ingest(mosquitto_broker.url) as ingest, rig.running():
        scanner.scan("A")
        wait_until(lambda: ingest.codes() == ["A"], "the scan is in")
        wait_until_listening(ingest)
    rig.close()


def test_a_replugged_device_is_read_again(rig: GatewayRig, ingest: FakeIngest) -> None:
    scanner = rig.add_scanner()
    with rig.running():
        scanner.scan("BEFORE")
        scanner.device.unplug()
        wait_until(lambda: "port_away" in rig.logged(), "the port is missed")
        scanner.device.plug()
        scanner.scan("AFTER")
        wait_until(lambda: ingest.codes() == ["BEFORE", "AFTER"], "both scans are in")


def test_bytes_that_came_while_the_gateway_was_away_are_still_read(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    gps = rig.add_port("gps-1", "nmea")
    gps.send(RMC)
    with rig.running():
        wait_until(lambda: len(ingest.positions()) == 1, "the fix is in")


def test_garbage_on_a_port_is_counted_and_reported(rig: GatewayRig, ingest: FakeIngest) -> None:
    gps = rig.add_port("gps-1", "nmea")
    with rig.running():
        gps.send(b"$GPRMC,0,A*00\r\n" + RMC)
        wait_until(lambda: len(ingest.positions()) == 1, "the fix behind it is in")
        wait_until(
            lambda: any(status.rejects.get("checksum") for status in ingest.statuses),
            "the status tells of it",
        )
        wait_until(
            lambda: health_value(ingest, "gps-1", "rejects_checksum_total"), "so does health"
        )


def health_value(ingest: FakeIngest, device: str, name: str) -> float:
    reports = [e for e in ingest.of(Health) if isinstance(e, Health) and e.device == device]
    return max((report.values.get(name, 0.0) for report in reports), default=0.0)


def test_a_killed_gateway_is_reported_offline_by_its_will(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    with rig.running() as process:
        wait_until(lambda: ingest.statuses, "it is online")
        process.kill()
        process.wait()
        wait_until(lambda: ingest.statuses[-1].state == "offline", "its will is published")


def test_a_stopped_gateway_drains_and_says_goodbye(rig: GatewayRig, ingest: FakeIngest) -> None:
    scanner = rig.add_scanner()
    with rig.running() as process:
        scanner.scan("LAST")
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert time.monotonic() - started < 5
    wait_until(lambda: ingest.codes() == ["LAST"], "the last scan is in")
    wait_until(lambda: ingest.statuses[-1].state == "offline", "it said goodbye")


def test_a_gateway_without_a_broker_stops_at_once_and_keeps_what_waits(rig: GatewayRig) -> None:
    url = re.search(r'url = "(.*)"', rig.config.read_text())
    assert url is not None
    rig.config.write_text(rig.config.read_text().replace(url[1], "mqtt://127.0.0.1:9"))
    scanner = rig.add_scanner()
    with rig.running() as process:
        scanner.scan("WAITS")
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert time.monotonic() - started < 2
    rig.config.write_text(rig.config.read_text().replace("mqtt://127.0.0.1:9", url[1]))
    with fake_ingest(url[1]) as ingest, rig.running():
        wait_until(lambda: ingest.codes() == ["WAITS"], "what waited is in")


def test_a_gateway_that_is_asked_to_stop_again_and_again_still_stops(rig: GatewayRig) -> None:
    rig.config.write_text(re.sub(r"mqtt://[^\"]*", "mqtt://127.0.0.1:9", rig.config.read_text()))
    for _ in range(8):
        rig.log.unlink(missing_ok=True)
        with rig.running() as process:
            wait_until(lambda: "mqtt_away" in rig.logged(), "it runs")
            until_s = time.monotonic() + 0.005
            while process.poll() is None and time.monotonic() < until_s:
                os.kill(process.pid, signal.SIGTERM)
            ended = process.wait(8)
            assert ended in {0, -signal.SIGTERM}, "a signal after the very end is the system's own"


def test_a_damaged_outbox_is_kept_aside_and_a_new_stream_begins(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    scanner = rig.add_scanner()
    with rig.running():
        scanner.scan("OLD")
        wait_until(lambda: ingest.codes() == ["OLD"], "the first scan is in")
    for rest in rig.data.glob("outbox.sqlite-*"):
        rest.unlink()
    (rig.data / "outbox.sqlite").write_bytes(b"This was a database." * 500)
    with rig.running():
        scanner.scan("NEW")
        wait_until(lambda: len(ingest.codes()) == 2, "the second scan is in")
    assert len({stream for stream, _ in ingest.events}) == 2
    [kept] = rig.data.glob("outbox.sqlite.corrupt-*")
    assert "outbox_corrupt" in rig.logged()
    assert kept.name in ingest.statuses[-2].trouble, "the status says so"


def test_a_full_disk_refuses_scans_loudly_and_recovers_alone(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    scanner = rig.add_scanner()
    gps = rig.add_port("gps-1", "nmea")
    with rig.running() as process:
        scanner.scan("BEFORE")
        limit_file_size(process.pid, 4096)
        assert scanner.is_refused("WHILE")
        gps.send(RMC)
        wait_until(lambda: "outbox_refuses" in rig.logged(), "it says so")
        limit_file_size(process.pid, resource.RLIM_INFINITY)
        scanner.scan("AFTER")
        wait_until(lambda: ingest.codes() == ["BEFORE", "AFTER"], "what was taken is in")
        wait_until(lambda: len(ingest.positions()) == 1, "the fix was held and is in")
    assert "outbox_writable_again" in rig.logged()


def limit_file_size(pid: int, size: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_wrong_password_is_said_once_and_tried_again(
    rig: GatewayRig, nats_broker: Broker
) -> None:
    text = rig.config.read_text()
    rig.config.write_text(re.sub(r"mqtt://[^@]*@", "mqtt://test:wrong@", text))
    with rig.running() as process:
        wait_until(lambda: "mqtt_refused" in rig.logged(), "it says so")
        assert process.poll() is None
    assert rig.logged().count("mqtt_refused") == 1
    assert "wrong" not in rig.logged()


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b'{"lat":1e999}', b"\xff" * 100],
    ids=["empty", "object", "infinite", "binary"],
)
def test_a_foreign_message_never_stops_the_trackers(
    rig: GatewayRig, ingest: FakeIngest, payload: bytes
) -> None:
    rig.add_trackers()
    with rig.running():
        wait_until_listening(ingest)
        ingest.publish("trackers/truck-9/fix", payload)
        ingest.publish("trackers/NO_NAME/fix", payload)
        send_fixes(ingest, [datetime(2026, 11, 23, 6, tzinfo=UTC)])
        wait_until(lambda: len(of_truck(ingest)) == 1, "the fix behind it is in")


def test_a_quiet_gateway_leaves_the_box_in_peace(rig: GatewayRig, ingest: FakeIngest) -> None:
    for n in range(8):
        rig.add_port(f"gps-{n}", "nmea")
    with rig.running() as process:
        rig.wait_until_up(ingest)
        before = cpu_s(process.pid)
        seen = len(ingest.statuses)
        wait_until(lambda: len(ingest.statuses) >= seen + 4, "four reports passed")
        assert cpu_s(process.pid) - before < 0.3


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def test_a_fix_that_waits_for_more_sentences_is_not_lost_with_the_cable(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    unit = rig.add_port("gps-9", "nmea", "idle_flush_s = 5.0")
    with rig.running():
        rig.wait_until_up(ingest)
        good = b"$GPRMC,081836,A,3751.65,S,14507.36,E,000.0,360.0,130998,011.3,E*62\r\n"
        unit.send(good + good.replace(b"*62", b"*63"))
        wait_until(lambda: rig.rejects().get("gps-9"), "the gateway has read both")
        unit.unplug()
        wait_until(lambda: len(ingest.positions()) == 1, "the fix arrived", within_s=4)
