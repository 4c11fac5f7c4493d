"""`edge-gateway config handover`: one page for the IT department: who talks to whom, topics, access rules, dates."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.state_folder import SERVICE_CONFIGURATION
from gateway.config.load import load
from gateway.config.tls_files import TlsFileError, tls_files
from gateway.model import iso_time
from gateway.publish.certificates import not_after_s
from gateway.publish.topics import Topics

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from gateway.config.schema import Configuration

_DAY_S: Final = 86_400
_MOST_DEVICES: Final = 12
"""Devices that the page lists by name; one page holds no more."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway config`."""
    parser = commands.add_parser(
        "handover",
        help="one page for the IT department: links, topics, access rules, certificates",
        description="Prints what a firewall and a broker must allow for this configuration, and nothing secret.",
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=SERVICE_CONFIGURATION, help="default: %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Returns 0, or 2 where gateway.yaml cannot be used."""
    configuration = load(args.folder).configuration
    if configuration is None:
        sys.stderr.write(f"gateway.yaml cannot be used; `edge-gateway check {args.folder}` tells what is wrong\n")
        return 2
    page = _page(configuration)
    if args.json:
        sys.stdout.write(json.dumps(page, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(page))
    return 0


def _page(configuration: Configuration) -> dict[str, Any]:
    identity, broker = configuration.gateway.gateway, configuration.gateway.broker
    topics = Topics(identity.location.levels(), identity.id)
    names = [name for connection in configuration.connections for name in connection.config.devices]
    names += list(configuration.derived.devices) if configuration.derived else []
    writes = [*(f"{topics.device(name)}/#" for name in names), f"{topics.own}/#"]
    template = configuration.gateway.publish.template
    return {
        "gateway": identity.id,
        "configuration": configuration.digest,
        "brokers": [
            {"host": address.host, "port": address.port, "tls": address.tls, "direction": "out"}
            for address in broker.addresses
        ],
        "user": broker.username,
        "client_id": identity.id,
        "devices": [
            {"connection": connection.name, "reaches": sorted(connection.spec.claims(connection.config))}
            for connection in configuration.connections
        ],
        "inbound": [],
        "writes": writes,
        "template": None if template is None else template.topic,
        "mosquitto_acl": _mosquitto(broker.username, identity.id, writes),
        "emqx_acl": _emqx(broker.username, identity.id, writes),
        "certificates": _certificates(configuration),
    }


def _mosquitto(user: str | None, client_id: str, topics: list[str]) -> list[str]:
    """Lines of an acl_file (mosquitto.conf(5)); without a user the client id stands for it."""
    if user is None:
        return [f"# the gateway logs in without a user; its client id is {client_id}"]
    return [f"user {user}", *(f"topic write {topic}" for topic in topics)]


def _emqx(user: str | None, client_id: str, topics: list[str]) -> list[str]:
    """Rules of EMQX's acl.conf."""
    who = f'{{username, "{user}"}}' if user is not None else f'{{clientid, "{client_id}"}}'
    listed = ", ".join(f'"{topic}"' for topic in topics)
    return [f"{{allow, {who}, publish, [{listed}]}}."]


def _certificates(configuration: Configuration) -> list[dict[str, Any]]:
    try:
        files = tls_files(configuration.gateway.broker.tls, configuration.folder)
    except TlsFileError:
        return []
    paths = {"authority of the broker": files.ca, "own": files.certificate}
    return [_certificate(whose, path) for whose, path in paths.items() if path is not None]


def _certificate(whose: str, path: Path) -> dict[str, Any]:
    try:
        ends_s = not_after_s(path.read_bytes())
    except (OSError, ValueError) as error:
        return {"whose": whose, "file": str(path), "error": str(error)}
    days = int((ends_s - time.time()) // _DAY_S)
    return {"whose": whose, "file": str(path), "valid_until": iso_time(ends_s * 1_000_000_000)[:10], "days_left": days}


def _lines(page: dict[str, Any]) -> Iterator[str]:
    yield f"edge-gateway {page['gateway']}: handover to IT (configuration {page['configuration']})"
    yield ""
    yield "Links, all opened by the gateway; it listens on no port:"
    for broker in page["brokers"]:
        encrypted = "MQTT over TLS 1.2 or newer" if broker["tls"] else "MQTT, not encrypted"
        yield f"  out  tcp {broker['host']}:{broker['port']}  {encrypted}"
    for connection in page["devices"]:
        yield f"  out  {', '.join(connection['reaches']) or 'nothing outside'}  connection {connection['connection']}"
    yield "  out  udp 53 and 123  names and time, where host names and NTP are used"
    yield ""
    yield f"At the broker: client id {page['client_id']}, user {page['user'] or '-'}; it publishes at QoS 1 and retains"
    yield "its meta, status and alarms. It subscribes to nothing."
    yield from (f"  {topic}" for topic in _some(page["writes"]))
    if page["template"] is not None:
        yield f"  {page['template']}  (a template; allow what it makes)"
    yield ""
    yield "mosquitto, acl_file:"
    yield from (f"  {line}" for line in _some(page["mosquitto_acl"]))
    yield "EMQX, acl.conf:"
    yield from (f"  {line}" for line in page["emqx_acl"])
    if page["certificates"]:
        yield ""
        yield "Certificates:"
        for certificate in page["certificates"]:
            until = certificate.get("valid_until")
            state = f"valid until {until}, {certificate['days_left']} days" if until else certificate["error"]
            yield f"  {certificate['whose']}: {certificate['file']}: {state}"


def _some(lines: list[str]) -> list[str]:
    """As many lines as a page takes; the rest is counted."""
    rest = len(lines) - _MOST_DEVICES
    return [*lines[:_MOST_DEVICES], f"... and {rest} more: see --json"] if rest > 1 else lines
