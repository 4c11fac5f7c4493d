"""All that the author of a driver must read: the protocol, its errors and the specification.

A driver owns its protocol and nothing else: no MQTT, no files, no global state. There are two kinds.

A *polling* driver turns a device's plan into requests, each exactly one request on the wire, and reads one request when
it is told to. The core owns periods, retries, back-off, and the quality of what could not be read.

A *listening* driver (subscriptions, edges) owns the wait and emits batches as things happen. The core owns its restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

from gateway.model import Quality
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from gateway.clock import Clock
    from gateway.connection import ConnectionConfig, DeviceConfig, TagConfig
    from gateway.model import Batch, Cell, Plan, Value
    from gateway.vocabulary import Entry


class DriverError(Exception):
    """The field did not give what was asked. The text is for a technician: what failed, where, what to look at."""

    quality = Quality.DEVICE_ERROR
    code: str = Code.DRIVER_FAULT
    """Its entry in the vocabulary of errors."""

    @property
    def told(self) -> str:
        """The text with the code behind it, as it is logged and published."""
        return f"{self} [{self.code}]"


class LinkError(DriverError):
    """The connection could not be opened, or broke. All its devices are without reply until it is open again."""

    quality = Quality.NO_REPLY
    code: str = Code.LINK


class NoReply(DriverError):  # noqa: N818 - the field says "no reply", not "no reply error"
    """One device kept silent; the link may be fine. `again_s`: leave it alone so long, its reply may still come, s."""

    quality = Quality.NO_REPLY
    code = Code.NO_REPLY

    def __init__(self, text: str, again_s: float = 0.0) -> None:
        super().__init__(text)
        self.again_s = again_s


class Refusal(Enum):
    """What a device means when it refuses a request."""

    FOR_NOW = "for now"
    """It is busy or at fault: the same request may be answered later."""
    POINTS = "points"
    """It lacks one of the points, or does not give so many at once: smaller requests tell which."""
    PERHAPS_POINTS = "perhaps points"
    """A fault of its own, or one of the points: some devices do not say which."""
    TABLE = "table"
    """It lacks the whole table, so no request of it will ever be answered."""


class DeviceRefused(DriverError):  # noqa: N818 - as above
    """The device answered that it will not, such as with a Modbus exception code."""

    quality = Quality.DEVICE_ERROR
    code = Code.REFUSED

    def __init__(self, text: str, refusal: Refusal = Refusal.FOR_NOW) -> None:
        super().__init__(text)
        self.refusal = refusal


class WrongReply(DriverError):  # noqa: N818 - as above
    """An answer came that does not fit the question; nothing of it may be believed."""

    quality = Quality.WRONG_REPLY
    code = Code.WRONG_REPLY


class CannotWrite(DriverError):  # noqa: N818 - as above
    """Nothing was sent: the tag cannot be written, or cannot hold this value."""


class NotKept(DriverError):  # noqa: N818 - as above
    """The device confirmed a write and then held something else."""


@dataclass(frozen=True, slots=True)
class DeviceTiming:
    """When a device is read and given up, every default filled in. Times in seconds."""

    period_s: float
    timeout_s: float
    retries: int
    bad_after: int
    heartbeat_s: float
    align_s: float | None = None
    """Tags of this period are read when the wall clock begins a step of so many seconds; None: at no such time."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device as a driver is told of it: what the technician wrote, and the plan made of it."""

    name: str
    config: Any
    """The driver's own `DeviceConfig`. `config.tags` has the same names in the same order as `plan.tags`."""
    plan: Plan
    timing: DeviceTiming


class Span(NamedTuple):
    """Neighbouring points of one table of a device."""

    table: str
    """In the driver's words, such as `holding`."""
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.table}:{self.first}" + (f"-{self.last}" if self.last > self.first else "")


class Cut(NamedTuple):
    """A place that no request reads across: one ends before it, another begins at it."""

    table: str
    at: int

    def __str__(self) -> str:
        return f"{self.table}:{self.at}"


@dataclass(frozen=True, slots=True)
class Request:
    """Tags of one device that one request on the wire reads."""

    device: str
    period_s: float
    positions: tuple[int, ...]
    """Positions in the device's plan, in the order in which the reply's values stand."""
    detail: Any = None
    """The driver's own: address, count, decoder."""
    span: Span | None = None
    """What it asks for, where a device can refuse single points; see `IsolatingDriver`."""
    once: bool = False
    """Reading changes the device (a register that is cleared when it is read): never asked twice in one reading."""
    riders: tuple[tuple[int, int], ...] = ()
    """Slower tags that ride along: index into `positions`, and of how many readings one counts."""


@dataclass(slots=True)
class Reply:
    """The raw values of one request, before scaling."""

    values: Sequence[Cell]
    """As long as the request's `positions`; None where the quality is BAD."""
    quality: Sequence[Quality] | None = None
    """As long as `values`; None means all GOOD."""
    raw: Mapping[int, Value] | None = None
    """Rejected readings by place in `values`, for the eye of an engineer: the code that means "not available"."""
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
class IsolatingDriver(PollingDriver, Protocol):
    """A polling driver whose devices may refuse a whole request for one of its points. Its requests have a `span`.

    The core halves what was refused until the points that the device lacks stand alone, and remembers them.
    """

    def halves(self, request: Request) -> Sequence[Request]:
        """Two requests that together read what this one reads, by address; none where it cannot be parted."""
        ...

    def requests_apart(self, device: Device, cuts: Collection[Cut]) -> Sequence[Request]:
        """The fewest requests that read all tags of one device, none of them across a cut."""
        ...


@runtime_checkable
class ParallelDriver(PollingDriver, Protocol):
    """A polling driver that can carry several requests at a time, such as over several connections."""

    parallel: int
    """The most requests at a time."""


@runtime_checkable
class CountingDriver(Driver, Protocol):
    """Counts what it sees on its link, for whoever searches a fault in the wiring."""

    def counters(self) -> Mapping[str, int]:
        """What was counted since the driver was made, by name."""
        ...


@runtime_checkable
class WritingDriver(Driver, Protocol):
    """Can also write. Who asks for it has checked that this person may, and never asks while a `read` is under way."""

    async def write(self, device: Device, tag: str, value: Value) -> None:
        """Write the raw value of one tag, before scaling, exactly or not at all, and read it back.

        Raises:
            CannotWrite: nothing was sent: the tag cannot be written, or cannot hold this value.
            NotKept: the device confirmed it and then held something else.
            LinkError, NoReply: the link broke or the device kept silent; it may have taken the value or not.
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


class Question(NamedTuple):
    """A key that is asked for when a new connection file is written; its description is the question."""

    of: Literal["connection", "device", "tag"]
    key: str
    only: tuple[str, frozenset[str]] | None = None
    """A key of the connection and the values of it with which this one is asked; None asks always."""


class PlannedRequest(NamedTuple):
    """One request of a read plan, for people."""

    device: str
    asks: str
    """What stands on the wire, such as `holding:100-149`."""
    documented: str
    """The same as manuals print it; empty where there is no other way."""
    tags: tuple[str, ...]
    """Those that it reads, by name."""
    period_s: float
    """Time between two readings."""
    frame_bytes: int
    """Of the request and its reply."""
    busy_s: float
    """How long the link is busy with it; an estimate, since nobody knows how fast a device answers."""


class LinkPlan(NamedTuple):
    """What is read over one link."""

    requests: Sequence[PlannedRequest]
    at_once: int = 1
    """Requests that may be under way at a time."""

    @property
    def busy(self) -> float:
        """The share of the link's time that all requests take."""
        return sum(request.busy_s / request.period_s for request in self.requests) / self.at_once


class DriverCommand(NamedTuple):
    """A command of a driver, such as `edge-gateway opcua certs`."""

    name: str
    help: str
    """On one line."""
    target: str
    """`module:name` of what is called with the command's parser when the command is named: it adds the arguments, and
    sets as `main` what takes them parsed and returns the exit code."""

    def prepare(self, parser: ArgumentParser) -> None:
        """Load the command and let it say its arguments."""
        _resolve(self.target)(parser)


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
    errors: tuple[Entry, ...] = ()
    """What the driver tells with a code of its own, such as `E-MB-002`."""
    questions: tuple[Question, ...] = ()
    """What a technician is asked of a new connection, beside the names and each tag's address and unit."""
    simulator: str | None = None
    """`module:name` of what is called with a connection's configuration and is an async context manager: inside it a
    server plays that configuration on loopback; it yields the configuration to use instead, which reaches it."""

    commands: tuple[DriverCommand, ...] = ()
    """Tools of this driver on the command line; each is loaded when it is named."""

    plan: str | None = None
    """`module:name` of what is called with a connection's configuration, its devices, and the cuts of each device by
    its name, and returns the `LinkPlan`, for `edge-gateway plan`."""

    def planned(
        self, config: ConnectionConfig, devices: Sequence[Device], cuts: Mapping[str, Collection[Cut]]
    ) -> LinkPlan:
        """What is read over the link of this connection, request by request.

        Raises:
            LookupError: this driver does not plan its requests.
        """
        if self.plan is None:
            raise LookupError(f"driver {self.name} has no read plan")
        plan: LinkPlan = _resolve(self.plan)(config, devices, cuts)
        return plan

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
