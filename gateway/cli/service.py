"""`edge-gateway service`: put a device or tag out of service for a while, and in again. `acknowledge`: see an alarm."""

from __future__ import annotations

import json
import os
import pwd
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.state_folder import SERVICE_CONFIGURATION, NoStateFolder, add_state_option, state_folder
from gateway.clock import SystemClock, boot_id
from gateway.collect.plan import devices_of
from gateway.collect.virtual import virtual_devices_of
from gateway.config.load import load
from gateway.config.problems import did_you_mean, quoted
from gateway.maintenance import Acknowledgement, OrdersError, Outage, new_id, read_orders, rewriting
from gateway.model import iso_time

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from gateway.config.schema import Configuration
    from gateway.driver import Device

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_S: Final = 30 * 86_400
"""Thirty days: what is out of service for longer is out of use, and belongs out of the files."""

_WHEN: Final = "it takes effect within 2 s, or at the next start where the gateway does not run"
_NS: Final = 1_000_000_000


class _Refused(Exception):  # noqa: N818 - the text says why the order is not given
    """Usage is wrong; nothing was ordered."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `service` and `acknowledge` to the commands of `edge-gateway`."""
    service = commands.add_parser(
        "service",
        help="put a device or tag out of service for a while, and in again",
        description="What is out of service is still read; its values are marked uncertain, its alarms are quiet.",
    )
    verbs = service.add_subparsers(title="verbs", metavar="VERB", required=True)
    out = _verb(verbs, "out", _out, "put out of service", "DEVICE[.TAG]")
    out.add_argument("--reason", required=True, help="why, for those who read the values")
    out.add_argument(
        "--for", required=True, dest="duration", metavar="TIME", help="30m, 2h, 3d: then it ends by itself"
    )
    _verb(verbs, "in", _in, "put in service again", "DEVICE[.TAG]")
    listing = _verb(verbs, "list", _list, "show what is out of service")
    listing.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    _verb(commands, "acknowledge", _acknowledge, "say that an alarm was seen", "DEVICE[.TAG.ALARM]")


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    action: Callable[[argparse.Namespace, Path, Configuration | None], str],
    text: str,
    what: str = "",
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text)
    if what:
        parser.add_argument("what", metavar=what)
    parser.add_argument(
        "--config", metavar="DIR", type=Path, default=SERVICE_CONFIGURATION, help="configuration (%(default)s)"
    )
    add_state_option(parser)
    parser.set_defaults(main=main, action=action)
    return parser


def main(args: argparse.Namespace) -> int:
    """Give one order. Returns 0 where it is given, 1 where the file cannot be used, 2 where it makes no sense."""
    configuration = load(args.config).configuration
    try:
        said = args.action(args, state_folder(args.state, args.config, configuration), configuration)
    except (_Refused, NoStateFolder) as error:
        sys.stderr.write(f"edge-gateway: {error}\n")
        return 2
    except OrdersError as error:
        sys.stderr.write(f"edge-gateway: {error}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


def _out(args: argparse.Namespace, folder: Path, configuration: Configuration | None) -> str:
    _require(args.what, _tags(configuration), configuration)
    reason = args.reason.strip()
    if not reason:
        raise _Refused("--reason must say something to those who read the values")
    seconds, now = _duration_s(args.duration), SystemClock().now()
    outage = Outage(
        id=new_id(),
        what=args.what,
        reason=reason,
        by=_who(),
        since=now.time,
        until=now.time + seconds * _NS,
        boot=boot_id(),
        until_monotonic=now.monotonic + seconds * _NS,
    )
    with rewriting(folder) as orders:
        orders[0] = orders[0].with_outage(outage)
    return f"{args.what} is out of service until {iso_time(outage.until)}; {_WHEN}"


def _in(args: argparse.Namespace, folder: Path, _: Configuration | None) -> str:
    with rewriting(folder) as orders:
        out = [one.what for one in orders[0].out_of_service if one.ended_by is None]
        if args.what not in out:
            raise _Refused(f"{quoted(args.what)} is not out of service{_hint(args.what, out)}")
        orders[0] = orders[0].without_outage(args.what, _who())
    return f"{args.what} is in service again; {_WHEN}"


def _list(args: argparse.Namespace, folder: Path, _: Configuration | None) -> str:
    now = SystemClock().now()
    out = [one for one in read_orders(folder).out_of_service if one.holds(now, boot_id())]
    if args.json:
        return json.dumps({"out_of_service": [_as_json(one) for one in out]}, ensure_ascii=False)
    lines = [f"{one.what}  until {iso_time(one.until)}  by {one.by}: {one.reason}" for one in out]
    return "\n".join(lines) or "everything is in service"


def _acknowledge(args: argparse.Namespace, folder: Path, configuration: Configuration | None) -> str:
    _require(args.what, _alarms(configuration), configuration)
    with rewriting(folder) as orders:
        orders[0] = orders[0].with_acknowledgement(Acknowledgement(id=new_id(), what=args.what, by=_who()))
    return f"{args.what} is acknowledged; {_WHEN}"


def _as_json(one: Outage) -> dict[str, Any]:
    times = {"since": iso_time(one.since), "until": iso_time(one.until)}
    return {"what": one.what, "reason": one.reason, "by": one.by, **times}


def _tags(configuration: Configuration | None) -> list[str]:
    named = [(device.name, device.plan.published.tags) for device in _devices(configuration)]
    return [name for device, tags in named for name in (device, *(f"{device}.{tag.name}" for tag in tags))]


def _alarms(configuration: Configuration | None) -> list[str]:
    devices = _devices(configuration)
    tags = [(f"{device.name}.{tag}", config) for device in devices for tag, config in device.config.tags.items()]
    return [
        *(device.name for device in devices),
        *(f"{tag}.{alarm}" for tag, config in tags for alarm in config.alarms),
    ]


def _devices(configuration: Configuration | None) -> list[Device]:
    if configuration is None:
        return []
    read = [device for connection in configuration.connections for device in devices_of(connection.config)]
    return [*read, *(virtual.device for virtual in virtual_devices_of(configuration, []))]


def _require(what: str, names: Sequence[str], configuration: Configuration | None) -> None:
    if configuration is not None and what not in names:
        raise _Refused(f"nothing in the configuration is called {quoted(what)}{_hint(what, names)}")


def _hint(what: str, names: Sequence[str]) -> str:
    hint = did_you_mean(what, names)
    return f" ({hint})" if hint else ""


def _duration_s(text: str) -> int:
    parts = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text)
    if parts is None:
        raise _Refused(f"--for {quoted(text)}: write a whole number and a unit, such as 30m, 2h or 3d")
    seconds = int(parts[1]) * _SECONDS[parts[2]]
    if seconds > _LONGEST_S:
        raise _Refused(f"--for {text} is longer than 30 days: what is out of use belongs out of the files")
    return seconds


def _who() -> str:
    """Who orders: the user behind sudo, else the user of the process."""
    behind_sudo = os.environ.get("SUDO_USER")
    if behind_sudo and os.geteuid() == 0:
        return behind_sudo
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
