"""`waystock gateway`: reads the settings, makes clock, random, outbox, ports and connections,
wires them and runs until SIGTERM. All wiring is here.
"""

import argparse
import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from waystock.contract.acks import Status, encode
from waystock.contract.broker import parse_broker_url
from waystock.contract.topics import command_topic, gateway_topic
from waystock_gateway import devices_command, inspect_command, order_command, settings_page
from waystock_gateway.backoff import Backoff
from waystock_gateway.box import boot_id
from waystock_gateway.clock import Clock, SystemClock
from waystock_gateway.devices.kinds import port_config, source_config
from waystock_gateway.errors import GatewayError, SettingsError
from waystock_gateway.gateway import Gateway, Requests
from waystock_gateway.health import Reporter
from waystock_gateway.inspect_command import OUTBOX_FILE
from waystock_gateway.intake import Adoption, Intake
from waystock_gateway.local_report import REPORT_FILE
from waystock_gateway.mqtt_link import LinkConfig, LinkUser, MqttLink
from waystock_gateway.outbox import Outbox
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.ports import REOPEN_S, REOPEN_S_MAX, Port
from waystock_gateway.remote import SERIAL_FILE, Remote, read_secret
from waystock_gateway.send_plan import SendPlan
from waystock_gateway.settings import PortSettings, Settings, load_settings, silent_after_s
from waystock_gateway.tally import Tally
from waystock_gateway.trackers import SourceConfig, Trackers
from waystock_gateway.uplink import Uplink, UplinkConfig

DESCRIPTION = "Reads devices and delivers their readings / 读取设备并可靠上传读数"
LOG_VARIABLE = "WAYSTOCK_LOG"
ADOPT_WITHIN_S = 5.0
_BYTES_PER_MB = 1_000_000


def run(argv: list[str]) -> int:
    """Exit status: 0 stopped as asked, 1 can't run, 2 unusable arguments or settings."""
    options = _parser().parse_args(argv)
    _configure_logging(os.environ.get(LOG_VARIABLE, "info"))
    try:
        if inspect_command.is_inspection(options.action):
            return inspect_command.run(options)
        if options.action == "devices":
            return devices_command.run(options)
        if options.action == "order":
            return order_command.run(options)
        if options.action == "settings":
            return settings_page.print_page()
        settings = load_settings(options.config)
        if settings.remote.key_file:
            read_secret(Path(settings.remote.key_file))
        if options.action == "check":
            sys.stdout.write(f"{options.config}: {len(settings.ports)} ports, ")
            sys.stdout.write(f"{len(settings.mqtt_sources)} MQTT sources, all well\n")
            return 0
        return _run(options.config, settings)
    except SettingsError as error:
        sys.stderr.write(f"waystock gateway: {error}\n")
        return 2
    except GatewayError as error:
        sys.stderr.write(f"waystock gateway: {error}\n")
        return 1


def _run(path: Path, settings: Settings) -> int:
    gateway = build(settings, SystemClock(), lambda: load_settings(path))
    gateway.uplink.remote = _remote(path, settings, gateway.requests)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: gateway.requests.ask("stop"))
    signal.signal(signal.SIGINT, lambda _signal, _frame: gateway.requests.ask("stop"))
    signal.signal(signal.SIGHUP, lambda _signal, _frame: gateway.requests.ask("reload"))
    return gateway.run()


def _remote(path: Path, settings: Settings, requests: Requests) -> Remote | None:
    """None unless the local configuration names a secret."""
    if not settings.remote.key_file:
        return None
    own = settings.gateway
    return Remote(
        command_topic(own.site, own.gateway),
        read_secret(Path(settings.remote.key_file)),
        path,
        Path(own.data_dir) / SERIAL_FILE,
        requests.ask,
    )


def build(settings: Settings, clock: Clock, read_settings: Callable[[], Settings]) -> Gateway:
    """All parts, wired; nothing but the outbox file is opened yet."""
    own = settings.gateway
    path = Path(own.data_dir) / OUTBOX_FILE
    keep_days = msgspec.structs.asdict(own.keep_days)
    outbox = Outbox(path, own.outbox_mb_max * _BYTES_PER_MB, keep_days)
    outbox.claim(f"{own.site}/{own.gateway}")
    outbox.begin_boot(boot_id())
    tally = Tally()
    report_reader, uplink_reader = OutboxReader(path), OutboxReader(path)
    reporter = Reporter(own.gateway, clock, tally, outbox, report_reader)
    plan = SendPlan(
        live_max=settings.uplink.live_batches_max,
        backlog_max=settings.uplink.backlog_batches_max,
        resend_s=settings.uplink.resend_s,
        resend_s_max=settings.uplink.resend_s_max,
        random=random.random,
    )
    uplink_config = _uplink_config(settings)
    wake = _Wake()
    intake = Intake(outbox, clock, tally, on_stored=wake.uplink)
    uplink = Uplink(uplink_config, outbox, uplink_reader, plan, clock, reporter.status, intake.wake)
    link = _uplink_link(settings, uplink, clock)
    wake.link = link
    reporter.watch(intake, silent_after_s(settings))

    def make_port(port: PortSettings) -> Port:
        config = port_config(port, clock)
        for device in config.devices:
            tally.register(device)
            intake.submit(Adoption(device, config.session), ADOPT_WITHIN_S)
        return Port(config, intake, clock, tally, _backoff(REOPEN_S, REOPEN_S_MAX))

    return Gateway(
        clock=clock,
        outbox=outbox,
        readers=(report_reader, uplink_reader),
        intake=intake,
        settings=settings,
        make_port=make_port,
        read_settings=read_settings,
        uplink=uplink,
        uplink_link=link,
        tracker_links=_tracker_links(settings, intake, clock, tally),
        reporter=reporter,
        health_s=own.health_s,
        report_file=path.with_name(REPORT_FILE),
    )


class _Wake:
    """The intake is made before the link that it wakes."""

    link: MqttLink | None = None

    def uplink(self) -> None:
        if self.link is not None:
            self.link.wake()


def _uplink_config(settings: Settings) -> UplinkConfig:
    uplink = settings.uplink
    return UplinkConfig(
        site=settings.gateway.site,
        gateway=settings.gateway.gateway,
        linger_s=uplink.linger_s,
        batch_events_max=uplink.batch_events_max,
        batch_bytes_max=uplink.batch_bytes_max,
        status_s=settings.gateway.health_s,
        deflate=uplink.deflate,
    )


def _uplink_link(settings: Settings, uplink: Uplink, clock: Clock) -> MqttLink:
    own = settings.gateway
    topic = gateway_topic(own.site, own.gateway, "status")
    will = encode(Status(state="offline", at=clock.now().at))
    return _link(settings, settings.uplink.url, "uplink", uplink, clock, will=(topic, will))


def _tracker_links(
    settings: Settings, intake: Intake, clock: Clock, tally: Tally
) -> list[MqttLink]:
    """One connection per broker that devices publish to."""
    by_url: dict[str, list[SourceConfig]] = {}
    for source in settings.mqtt_sources:
        config = source_config(source, clock)
        by_url.setdefault(source.url or settings.uplink.url, []).append(config)
    links: list[MqttLink] = []
    for i, (url, sources) in enumerate(by_url.items()):
        trackers = Trackers(sources, intake, clock, tally)
        link = _link(settings, url, f"trackers-{i}", trackers, clock, durable=True)
        trackers.link = link
        links.append(link)
    return links


def _link(
    settings: Settings,
    url: str,
    name: str,
    user: LinkUser,
    clock: Clock,
    *,
    durable: bool = False,
    will: tuple[str, bytes] | None = None,
) -> MqttLink:
    own, uplink = settings.gateway, settings.uplink
    config = LinkConfig(
        name=name,
        address=parse_broker_url(url, websockets=True),
        client_id=f"waystock-{own.site}-{own.gateway}-{name}",
        durable=durable,
        version=uplink.mqtt_version,
        keepalive_s=uplink.keepalive_s,
        ca_file=uplink.ca_file,
        certificate_file=uplink.certificate_file,
        key_file=uplink.key_file,
        will=will,
    )
    return MqttLink(config, user, clock, _backoff(uplink.reconnect_s, uplink.reconnect_s_max))


def _backoff(first_s: float, max_s: float) -> Backoff:
    return Backoff(first_s, max_s, random.random)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="waystock gateway", description=DESCRIPTION)
    actions = parser.add_subparsers(dest="action", required=True)
    for name, text in (
        ("run", "read devices until SIGTERM / 读取设备直到收到 SIGTERM"),
        ("check", "check the settings / 检查配置"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--config", type=Path, required=True, help="TOML file / 配置文件")
    order_command.add_arguments(actions.add_parser("order", help=order_command.HELP))
    devices_command.add_arguments(actions.add_parser("devices", help=devices_command.HELP))
    actions.add_parser("settings", help="every setting explained / 所有配置项说明")
    inspect_command.add_parsers(lambda name, text: actions.add_parser(name, help=text))
    return parser


def _configure_logging(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_level_number(level)),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def _level_number(level: str) -> int:
    return logging.getLevelNamesMapping().get(level.upper(), logging.INFO)


def main(arguments: Sequence[str] | None = None) -> int:
    """For `python -m waystock_gateway.main`."""
    return run(list(sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    sys.exit(main())
