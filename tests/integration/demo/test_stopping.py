"""Being asked to stop by signals that come faster than they are handled."""

import subprocess
import sys

import pytest

STORM = """
import signal, time
from {module} import StopRequest
request, signals = StopRequest(), 0
def handle(number, frame):
    global signals
    signals += 1
    request.set()
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 50e-6, 50e-6)
end_s = time.monotonic() + 0.5
while time.monotonic() < end_s:
    request.wait(0.0001)
signal.setitimer(signal.ITIMER_REAL, 0)
request.set()
assert signals > 100 and request.wait(1)
"""


@pytest.mark.parametrize("module", ["waystock.stopping", "waystock_gateway.gateway"])
def test_a_second_signal_in_the_middle_of_the_first_does_not_hang_the_process(module: str) -> None:
    subprocess.run([sys.executable, "-c", STORM.format(module=module)], check=True, timeout=15)
