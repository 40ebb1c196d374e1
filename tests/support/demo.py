"""The real demo command as a child of a test: started on a state folder of its own, watched through
`demo.json`, asked through its API, ended like a user would end it.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.processes import wait_until

READY_WITHIN_S = 120.0


class RunningDemo:
    """One `waystock demo` process and what it says of itself."""

    def __init__(self, state: Path, process: subprocess.Popen[bytes], output: Path) -> None:
        self.state = state
        self.process = process
        self.output = output

    def file(self) -> dict[str, Any]:
        """`demo.json` as it is now; empty while there is none."""
        try:
            return json.loads((self.state / "demo.json").read_text())
        except FileNotFoundError:
            return {}

    def wait_ready(self) -> None:
        """Until it serves and its devices speak. Raises AssertionError with what it said."""

        def ready_or_over() -> bool:
            return self.process.poll() is not None or self.file().get("ready") is True

        wait_until(ready_or_over, f"the demo is ready: {self.said()}", within_s=READY_WITHIN_S)
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        """Everything it wrote to the terminal."""
        return self.output.read_text(errors="replace")

    def ask(self, path: str) -> Any:
        """GET a path of the API with the screen's token. Raises OSError while it is away."""
        file = self.file()
        request = urllib.request.Request(
            f"http://127.0.0.1:{file['ports']['api']}{path}",
            headers={"Authorization": f"Bearer {file['viewer_token']}"},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=3
        ) as answer:
            return json.load(answer)

    def wait_over(self, within_s: float) -> int:
        """Until it has ended by itself; its exit status."""
        wait_until(lambda: self.process.poll() is not None, "the demo is over", within_s=within_s)
        return self.process.returncode


@contextmanager
def demo(
    state: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Generator[RunningDemo]:
    """`waystock demo --state STATE OPTIONS…` on free ports; ended by SIGINT if it still runs."""
    state.mkdir(parents=True, exist_ok=True)
    output = state.with_name(state.name + ".terminal")
    command = [str(Path(sys.executable).parent / "waystock"), "demo", "--state", str(state)]
    with output.open("ab") as terminal:
        process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield RunningDemo(state, process, output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
