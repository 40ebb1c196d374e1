"""Servers whose port is taken by another program between the look and the bind."""

import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.processes import wait_until
from waystock.stopping import StopRequest
from waystock_demo.listening import launch_listening, listens
from waystock_demo.nats import takes_connections
from waystock_demo.ports import PortBusyError, PortChoice, free_port
from waystock_demo.process import Command
from waystock_demo.running import Demo, Settings, StartError
from waystock_demo.state import State
from waystock_demo.supervisor import Service


def choice(told: int | None = None) -> PortChoice:
    return PortChoice(told, free_port(), "--mqtt-port")


def server(port: PortChoice) -> Service:
    argv = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port.number))
    return Service(command=Command(name="nats", argv=argv))


def thief(port: int) -> socket.socket:
    """Another program that was quicker."""
    return socket.create_server(("127.0.0.1", port))


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Demo]:
    state = State(tmp_path / "state")
    settings = Settings(
        seed=1,
        host="127.0.0.1",
        api_port=choice(),
        database_port=choice(),
        mqtt_port=choice(),
        database_url=None,
        mqtt_url=None,
    )
    with state.locked(fresh=False):
        demo = Demo(state, settings, StopRequest(), lambda _line: None)
        yield demo
        demo.stop()


def test_a_server_that_finds_its_port_taken_is_started_on_another(starting: Demo) -> None:
    port = choice()
    first = port.number
    with closing(thief(first)):
        launch_listening(starting, port, lambda: server(port))
    assert port.number != first
    assert takes_connections(port.number)
    pid = starting.process_id("nats")
    assert pid is not None
    assert listens(pid, port.number)


def test_a_port_that_the_user_named_is_not_changed_and_the_reason_is_told(starting: Demo) -> None:
    port = choice(told=free_port())
    with closing(thief(port.number)), pytest.raises(StartError, match="name another port"):
        launch_listening(starting, port, lambda: server(port))
    assert starting.process_id("nats") is None


def test_a_port_whose_server_is_being_restarted_is_not_taken_by_another_demo() -> None:
    ours = choice()
    theirs = PortChoice(None, ours.number, "--mqtt-port")
    assert theirs.number != ours.number
    with pytest.raises(PortBusyError, match="name another port"):
        PortChoice(ours.number, 18830, "--mqtt-port")


def test_another_program_s_server_does_not_pass_for_ours(starting: Demo) -> None:
    port = choice()
    with closing(thief(port.number)):
        starting.launch(server(port))
        wait_until(lambda: starting.process_id("nats") is None, "it ended")
        assert takes_connections(port.number)
    starting.withdraw("nats")
    launch_listening(starting, port, lambda: server(port))
    pid = starting.process_id("nats")
    assert pid is not None
    assert not listens(pid, free_port())
