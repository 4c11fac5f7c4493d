"""The gateway that the self-test kills: the real outbox and the real way to the broker, behind readings of its own.

It reads its orders as one JSON object from standard input, and says on standard output how far it is, a JSON object a
line: the time, and the last seq put of each device.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import uvloop

from gateway.cli.logs import configure_logs
from gateway.clock import SystemClock, boot_id
from gateway.clock.watch import ClockWatch
from gateway.config.load import load
from gateway.config.schema import GatewayConfig, Location, Publish
from gateway.model import Batch, Plan, Quality, Run, Tag
from gateway.outbox.outbox import Outbox
from gateway.outbox.room import Room
from gateway.outbox.spool import Spool
from gateway.uplink import Uplink

if TYPE_CHECKING:
    from gateway.config.schema import Configuration

PLANS: Final = tuple(
    Plan(f"machine-{number}", tuple(Tag(f"count_{tag}", "selftest", "int") for tag in range(10)), heartbeat_s=60.0)
    for number in range(5)
)
"""Five devices of ten tags."""

PERIOD_S: Final = 0.1
"""50 batches, 500 readings a second."""

_ROOM: Final = Room(100_000_000)
_DRAIN_S: Final = 5.0
_CLOSE_S: Final = 3.0


class Orders(msgspec.Struct):
    """What the child is to do."""

    folder: str
    """The configuration."""
    broker: str | None
    """A URL in the place of the configured one."""
    spool: str
    run: int
    cable: int
    """The port of loopback by which the broker is reached."""


class _Inside(Location):
    """A place below the gateway's own topics."""

    below: tuple[str, ...]

    def levels(self) -> list[str]:
        return [*super().levels(), *self.below]


def value_of(seq: int, tag: int) -> int:
    """What the batch with this seq holds for a tag: so it is seen when a value wears another one's name."""
    return 1000 * seq + tag


def configuration_of(folder: Path, broker: str | None) -> Configuration | None:
    """The configuration of a folder, changed so that nothing of it meets the real gateway; None where it is not good.

    The client id is `<id>-selftest`, and everything is published below `<path>/_gateway/<id>/selftest`.
    """
    found = load(folder).configuration
    if found is None:
        return None
    gateway = found.gateway
    own = gateway.gateway
    inside = _Inside(**own.location.model_dump(), below=("_gateway", own.id, "selftest"))
    identity = own.model_copy(update={"id": f"{own.id}-selftest", "location": inside})
    changes: dict[str, Any] = {"gateway": identity, "publish": Publish(), "broker": _broker(gateway, broker)}
    return replace(found, gateway=gateway.model_copy(update=changes), connections=())


def _broker(gateway: GatewayConfig, url: str | None) -> Any:
    """The preferred broker alone, or the one that was named, with the configured credentials."""
    urls = [gateway.broker.url] if isinstance(gateway.broker.url, str) else gateway.broker.url
    return gateway.broker.model_copy(update={"url": url or urls[0]})


def main() -> int:
    """Run until SIGTERM, or until killed."""
    orders = msgspec.json.decode(sys.stdin.readline(), type=Orders)
    configure_logs("json", quiet=True)
    configuration = configuration_of(Path(orders.folder), orders.broker)
    if configuration is None:
        return 2
    _lead_through(orders.cable, configuration.gateway.broker.addresses[0])
    uvloop.run(_run(orders, configuration))
    return 0


def _lead_through(port: int, address: Any) -> None:
    """Have every look-up of the broker's name end at the cable: certificates are still checked against that name."""
    look_up = socket.getaddrinfo

    def led(host: Any, service: Any, *args: Any, **named: Any) -> Any:
        if (host, service) == (address.host, address.port):
            host, service = "127.0.0.1", port
        return look_up(host, service, *args, **named)

    socket.getaddrinfo = led  # type: ignore[assignment]  # the same arguments, passed on as they come


async def _run(orders: Orders, configuration: Configuration) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    clock, run = SystemClock(), Run(orders.run, "0e1f7e57", boot_id())
    outbox = Outbox(run, clock, Spool.open(Path(orders.spool), clock, _ROOM, run.boot))
    uplink = Uplink(outbox, clock, ClockWatch(clock, frozenset({str(run)})), version("edge-gateway"), run)
    tending = asyncio.create_task(outbox.run())
    await uplink.apply(configuration, [])
    await _put(outbox, clock, stopping)
    await uplink.close(_DRAIN_S, _CLOSE_S)
    tending.cancel()
    await asyncio.gather(tending, return_exceptions=True)
    await outbox.close()


async def _put(outbox: Outbox, clock: SystemClock, stopping: asyncio.Event) -> None:
    seq = 0
    while not stopping.is_set():
        seq += 1
        stamp = clock.now()
        for plan in PLANS:
            values = [value_of(seq, tag) for tag in range(len(plan.tags))]
            outbox.put(Batch(plan, list(values), [Quality.GOOD] * len(values), stamp))
        sys.stdout.write(json.dumps({"at": time.monotonic(), "seq": seq}) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(PERIOD_S)
