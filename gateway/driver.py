"""All that the author of a driver must read: the protocol, its errors and the specification.

A driver owns its protocol and nothing else: no MQTT, no files, no global state. There are two kinds.

A *polling* driver turns a device's plan into requests, each exactly one request on the wire, and reads one request when
it is told to. The core owns periods, retries, back-off, and the quality of what could not be read.

A *listening* driver (subscriptions, edges) owns the wait and emits batches as things happen. The core owns its restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from gateway.clock import Clock
    from gateway.connection import ConnectionConfig, DeviceConfig, TagConfig
    from gateway.model import Batch, Cell, Plan


class DriverError(Exception):
    """The field did not give what was asked. The text is for a technician: what failed, where, what to look at."""

    quality = Quality.DEVICE_ERROR


class LinkError(DriverError):
    """The connection could not be opened, or broke. All its devices are without reply until it is open again."""

    quality = Quality.NO_REPLY


class NoReply(DriverError):  # noqa: N818 - the field says "no reply", not "no reply error"
    """One device kept silent. The link itself may be fine."""

    quality = Quality.NO_REPLY


class DeviceRefused(DriverError):  # noqa: N818 - as above
    """The device answered that it will not, such as with a Modbus exception code."""

    quality = Quality.DEVICE_ERROR


class WrongReply(DriverError):  # noqa: N818 - as above
    """An answer came that does not fit the question; nothing of it may be believed."""

    quality = Quality.WRONG_REPLY


@dataclass(frozen=True, slots=True)
class DeviceTiming:
    """When a device is read and given up, every default filled in. Times in seconds."""

    period_s: float
    timeout_s: float
    retries: int
    bad_after: int
    heartbeat_s: float


@dataclass(frozen=True, slots=True)
class Device:
    """One device as a driver is told of it: what the technician wrote, and the plan made of it."""

    name: str
    config: Any
    """The driver's own `DeviceConfig`. `config.tags` has the same names in the same order as `plan.tags`."""
    plan: Plan
    timing: DeviceTiming


@dataclass(frozen=True, slots=True)
class Request:
    """Tags of one device and one period that one request on the wire reads."""

    device: str
    period_s: float
    positions: tuple[int, ...]
    """Positions in the device's plan, in the order in which the reply's values stand."""
    detail: Any = None
    """The driver's own: address, count, decoder."""


@dataclass(slots=True)
class Reply:
    """The raw values of one request, before scaling."""

    values: Sequence[Cell]
    """As long as the request's `positions`; None where the quality is BAD."""
    quality: Sequence[Quality] | None = None
    """As long as `values`; None means all GOOD."""
    unchanged: bool = False
    """The reply was identical, byte for byte, with the one before."""


class Driver(Protocol):
    """What both kinds have in common."""

    async def open(self) -> None:
        """Open the link. It may be called again after `close`.

        Raises:
            LinkError: the link cannot be opened; the text names the end point and the cause.
        """
        ...

    async def close(self) -> None:
        """Close the link; never raises, and does nothing where it is closed already."""
        ...


@runtime_checkable
class PollingDriver(Driver, Protocol):
    """Reads when told to."""

    def requests(self, devices: Sequence[Device]) -> Sequence[Request]:
        """The fewest requests that read all tags of these devices.

        Called before the first `open`, and again with other devices while the link stays open.
        """
        ...

    async def read(self, request: Request) -> Reply:
        """Send one request and return what came back. Cancelled means stopped within 1 s.

        Raises:
            LinkError: the link broke; the core closes it and opens it anew.
            NoReply: the device kept silent for the device's `timeout_s`.
            DeviceRefused: the device answered that it will not.
            WrongReply: the answer does not fit the question.
        """
        ...


@runtime_checkable
class ListeningDriver(Driver, Protocol):
    """Waits for the field to speak."""

    async def listen(self, devices: Sequence[Device], emit: Callable[[Batch], None]) -> None:
        """Emit a batch for each change, beginning with one that holds the present value of every tag.

        Called after `open`. Returns only by an error or when cancelled, then within 1 s. A tag that the source does
        not know is emitted once as BAD; it does not stop the others. Called again with other devices after a reload,
        with the link still open.

        Raises:
            LinkError: the link broke; the core closes it and opens it anew.
        """
        ...


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """What a driver is, without loading its field library: that happens when `build` is called."""

    name: str
    connection: type[ConnectionConfig]
    device: type[DeviceConfig]
    tag: type[TagConfig]
    driver: str
    """`module:name` of what is called with the connection's configuration and the clock and returns the driver."""
    claims: Callable[[Any], frozenset[str]]
    """The port, bus address or pin that a connection takes, so that the core finds two owners of one."""
    simulator: str | None = None
    """`module:name` of what is called with a connection's configuration and is an async context manager: inside it a
    server plays that configuration on loopback; it yields the configuration to use instead, which reaches it."""

    def build(self, config: ConnectionConfig, clock: Clock) -> PollingDriver | ListeningDriver:
        """Load the driver and make one for this connection. Nothing is opened yet."""
        driver: PollingDriver | ListeningDriver = _resolve(self.driver)(config, clock)
        return driver

    def simulate(self, config: ConnectionConfig) -> AbstractAsyncContextManager[ConnectionConfig]:
        """Play the devices of this connection on loopback.

        Raises:
            LookupError: this driver has no simulator.
        """
        if self.simulator is None:
            raise LookupError(f"driver {self.name} has no simulator")
        simulation: AbstractAsyncContextManager[ConnectionConfig] = _resolve(self.simulator)(config)
        return simulation


def _resolve(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
