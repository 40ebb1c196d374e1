"""What a real gpsd made of recordings of real receivers, given to the decoder: each instant is one
fix, as the daemon last told it.
"""

from pathlib import Path

from tests.support.recordings import each_recording, instant_key, needs_recordings, reports
from waystock_gateway.devices.gpsd.decoder import GpsdDecoder
from waystock_gateway.devices.gpsd.settings import GpsdSettings
from waystock_gateway.readings import Decoded, Fix


def decode(log: Path) -> list[Decoded]:
    told = log.with_name(log.name + ".chk").read_bytes().splitlines()
    decoder = GpsdDecoder(GpsdSettings())
    stream = b"".join(line + b"\r\n" for line in told if line.startswith(b"{"))
    return decoder.feed(stream) + decoder.finish()


@needs_recordings
@each_recording
def test_each_instant_is_one_fix_as_it_was_told_last(log: Path) -> None:
    found = [item for item in decode(log) if isinstance(item, Fix)]
    by_time = {instant_key(log, fix.time): fix for fix in found if fix.time is not None}
    last = {time: told[-1] for time, told in reports(log).items()}
    assert by_time.keys() == last.keys()
    assert len(found) == len(last)
    for time, report in last.items():
        fix = by_time[time]
        assert (fix.lat, fix.lon) == (report["lat"], report["lon"])
        assert fix.speed_mps == report.get("speed")
        assert fix.accuracy_m == report.get("eph")
