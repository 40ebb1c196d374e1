"""Being asked to stop by signals that come faster than they are handled."""

import subprocess
import sys

import pytest

STORM = """
import signal, time
from {module} import {name}
request, signals = {name}(), 0
def handle(number, frame):
    global signals
    signals += 1
    request.{ask}
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 50e-6, 50e-6)
end_s = time.monotonic() + 0.5
while time.monotonic() < end_s:
    request.wait(0.0001)
signal.setitimer(signal.ITIMER_REAL, 0)
request.{ask}
assert signals > 100 and request.wait(1)
"""


@pytest.mark.parametrize(
    ("module", "name", "ask"),
    [
        ("waystock.stopping", "StopRequest", "set()"),
        ("waystock_gateway.gateway", "Requests", "ask('stop')"),
    ],
)
def test_a_second_signal_in_the_middle_of_the_first_does_not_hang_the_process(
    module: str, name: str, ask: str
) -> None:
    program = STORM.format(module=module, name=name, ask=ask)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=15)
