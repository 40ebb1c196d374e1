"""`waystock api`: serves REST, the WebSocket and the pages; its subcommands `user` and `token`
say who may sign in. Settings are read and clocks, sockets and signals are set up here.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence

import structlog
import uvicorn

from waystock_api import accounts_command
from waystock_api.app import create_app
from waystock_api.settings import ApiSettings, SettingsError, api_settings

log = structlog.get_logger()

PORT_DEFAULT = 8000
SHUTDOWN_WAIT_S = 3
CONNECTIONS_MAX = 4_000
WS_FRAME_BYTES_MAX = 64 * 1024


def run(argv: Sequence[str]) -> int:
    """Exit status 0 after a clean stop, 1 where it can't serve, 2 for unusable arguments."""
    arguments = _parser().parse_args(argv)
    try:
        settings = api_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"waystock api: {error}\n")
        return 2
    if arguments.subject is not None:
        return accounts_command.run(arguments, settings.database_url)
    return _serve(settings, arguments.host, arguments.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="waystock api", description="Serve the API and pages.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT_DEFAULT)
    accounts_command.add_subcommands(parser)
    return parser


def _serve(settings: ApiSettings, host: str, port: int) -> int:
    failed = False

    def on_failure() -> None:
        nonlocal failed
        failed = True
        server.should_exit = True

    config = uvicorn.Config(
        create_app(settings, on_failure=on_failure),
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=WS_FRAME_BYTES_MAX,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=SHUTDOWN_WAIT_S,
        access_log=False,
        server_header=False,
        log_config=None,
    )
    server = uvicorn.Server(config)
    # uvicorn raises the signal it was stopped by once more at the end; a clean stop is no failure.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    began_s = time.monotonic()
    log.info("api_starting", host=host, port=port)
    try:
        server.run()
    except SystemExit:
        # uvicorn's way to say that it could not start; it has logged why (such as a busy port).
        return 1
    log.info("api_stopped", after_s=round(time.monotonic() - began_s, 1))
    return 0 if server.started and not failed else 1
