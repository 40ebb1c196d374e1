"""`waystock gateway order`: signs an order for a gateway far away and prints topic and message, for
any MQTT client to publish (QoS 1, not retained). Upstream: a person with the secret.
"""

import argparse
import sys
import time
from pathlib import Path

from waystock.contract.topics import command_topic
from waystock_gateway.remote import Order, read_secret, sign

HELP = "sign an order for a gateway far away / 为远程网关签署命令"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("order", choices=("restart", "configure"), help="what to do / 操作")
    parser.add_argument("--site", required=True, help="its site / 站点")
    parser.add_argument("--gateway", required=True, help="its name / 网关名")
    parser.add_argument("--key-file", type=Path, required=True, help="the secret / 密钥文件")
    parser.add_argument("--settings", type=Path, help="the new TOML file / 新配置文件")


def run(options: argparse.Namespace) -> int:
    """Topic and message, one a line. Exit status 2 on unusable arguments."""
    if (options.order == "configure") != (options.settings is not None):
        sys.stderr.write(
            "waystock gateway order: --settings goes with configure, and with it only\n"
        )
        return 2
    try:
        topic = command_topic(options.site, options.gateway)
        text = options.settings.read_text(encoding="utf-8") if options.settings else ""
    except (ValueError, OSError) as error:
        sys.stderr.write(f"waystock gateway order: {error}\n")
        return 2
    order = Order(action=options.order, serial=time.time_ns() // 1_000_000, settings=text)
    message = sign(order, topic, read_secret(options.key_file))
    sys.stdout.write(f"{topic}\n{message.decode()}\n")
    return 0
