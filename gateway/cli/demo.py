"""`edge-gateway demo`: a plant on a laptop. Simulated devices, the real gateway, a broker, a table of what arrives."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import uvloop

from gateway.app import App
from gateway.cli.logs import configure_logs
from gateway.clock import SystemClock
from gateway.collect.plan import devices_of
from gateway.collect.virtual import virtual_devices_of
from gateway.config.files import example_folder
from gateway.config.load import LoadResult, load
from gateway.model import Plan
from gateway.state import State
from gateway.status.notify import Notifier

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from gateway.cli.arrivals import Arrivals
    from gateway.config.schema import Configuration, Connection
    from gateway.driver import Device

_REFRESH_S = 0.25
_DEFAULT_JSON_SECONDS = 10.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `demo` to the command line."""
    parser = commands.add_parser(
        "demo",
        help="play a whole plant on this machine",
        description="Simulates the devices of a configuration, runs the real gateway over them and shows every tag as "
        "it arrives from the broker. Needs no root, no network, no broker and no device.",
    )
    parser.add_argument("folder", metavar="DIR", nargs="?", type=Path, help="configuration (default: the shipped one)")
    parser.add_argument("--broker", metavar="URL", help="a real broker, mqtt://host:port, instead of the embedded one")
    parser.add_argument("--seconds", metavar="N", type=float, help="stop after N seconds (default: at Ctrl-C)")
    parser.add_argument("--json", action="store_true", help="print what arrived as JSON; exit 1 if a tag did not")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run the demo; 1 if a configured tag did not arrive, 2 if the configuration is not good."""
    absent = [package for package in ("amqtt", "rich") if find_spec(package) is None]
    if absent:
        sys.stderr.write(f"The demo needs {' and '.join(absent)}: pip install 'edge-gateway[demo]'\n")
        return 1
    folder = args.folder or example_folder()
    result = load(folder)
    for problem in result.problems:
        sys.stderr.write(f"{problem}\n")
    if result.configuration is None or not result.configuration.connections:
        return 2
    configure_logs("console", quiet=True)
    seconds = args.seconds or (_DEFAULT_JSON_SECONDS if args.json else None)
    try:
        return uvloop.run(_play(result.configuration, args.broker, seconds, as_json=args.json))
    except ConnectionError as error:
        sys.stderr.write(f"{error}\n")
        return 1


async def _play(configuration: Configuration, broker: str | None, seconds: float | None, *, as_json: bool) -> int:
    """Everything in one process: simulators, a broker, a subscriber, and the real gateway between them."""
    # amqtt and rich come with the extra `demo`; whoever has not installed it was told so before.
    from gateway.cli.arrivals import Arrivals, subscribed  # noqa: PLC0415 - see above
    from gateway.cli.embedded import embedded_broker  # noqa: PLC0415 - see above

    async with AsyncExitStack() as plant:
        connections = [await _simulated(plant, connection) for connection in configuration.connections]
        devices = [device for connection in connections for device in devices_of(connection.config)]
        url = await plant.enter_async_context(embedded_broker()) if broker is None else broker
        arrivals = Arrivals([*devices, *_worked_out(configuration)])
        await plant.enter_async_context(subscribed(url, arrivals.take))
        playing = _redirected(configuration, connections, url, embedded=broker is None)
        await plant.enter_async_context(_gateway(playing))
        await _show(arrivals, f"edge-gateway demo: what arrives from {url}", seconds, as_json=as_json)
    return _report(arrivals, as_json=as_json)


def _worked_out(configuration: Configuration) -> list[Device]:
    """Virtual devices with the tags of their formulas; windows of time are over only when nobody looks any more."""
    virtual = [one for one in virtual_devices_of(configuration) if one.formulas]
    return [replace(one.device, plan=Plan(one.name, one.device.plan.tags[: len(one.formulas)])) for one in virtual]


async def _simulated(plant: AsyncExitStack, connection: Connection) -> Connection:
    """The same connection, reaching a simulator instead of the field."""
    simulator = connection.spec.simulate(connection.config)
    return replace(connection, config=await plant.enter_async_context(simulator))


def _redirected(
    configuration: Configuration, connections: list[Connection], url: str, *, embedded: bool
) -> Configuration:
    """The configuration with the demo's end points; the embedded broker speaks MQTT 3.1.1 and asks for no password."""
    changes: dict[str, object] = {"url": url}
    if embedded:
        changes |= {"protocol": "3.1.1", "username": None, "password": None}
    broker = configuration.gateway.broker.model_copy(update=changes)
    gateway = configuration.gateway.model_copy(update={"broker": broker})
    return replace(configuration, gateway=gateway, connections=tuple(connections))


@asynccontextmanager
async def _gateway(configuration: Configuration) -> AsyncIterator[None]:
    """The real gateway, its state in a folder that goes with it."""
    with TemporaryDirectory(prefix="edge-gateway-demo-") as folder:
        app = App(configuration, State.open(Path(folder)), SystemClock(), Notifier({}), lambda: LoadResult(None, ()))
        running = asyncio.create_task(app.run())
        try:
            yield
        finally:
            app.stop()
            await running


async def _show(arrivals: Arrivals, title: str, seconds: float | None, *, as_json: bool) -> None:
    """Until the time is over, or until Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            if as_json:
                await stopped.wait()
            else:
                await _refresh_table(arrivals, title, stopped)


async def _refresh_table(arrivals: Arrivals, title: str, stopped: asyncio.Event) -> None:
    from gateway.cli.table import LiveTable  # noqa: PLC0415 - rich comes with the extra `demo`

    with LiveTable(title) as table:
        while not stopped.is_set():
            table.show(arrivals)
            await asyncio.sleep(_REFRESH_S)


def _report(arrivals: Arrivals, *, as_json: bool) -> int:
    missing = arrivals.missing()
    if as_json:
        tags = [arrival.as_json() for arrival in arrivals.tags.values()]
        report = {"messages": arrivals.messages, "missing": missing, "tags": tags}
        json.dump(report, sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    elif missing:
        sys.stdout.write(f"did not arrive: {', '.join(missing)}\n")
    return 1 if missing else 0
