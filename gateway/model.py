"""The words of the gateway: tags, plans, batches, quality, names. Standard library only.

A batch is columns. `Plan.tags` is one tuple, made when the plan is made and shared by every batch of that plan, so that
each stage prepares itself once a plan and then works on whole lists.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from functools import cached_property, lru_cache
from time import gmtime, strftime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""Stands in a column of a batch where the tag has no value in this batch: held back, or not yet notified."""

Value = bool | int | float | str
"""What a tag can hold. A float is never NaN or infinite: such a reading is BAD, with its reason."""

Cell = Value | Absent | None
"""One cell of a column: a value, `ABSENT`, or None where the quality is BAD and there is no value."""


class Level(StrEnum):
    """How far a value can be trusted."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Quality(Enum):
    """A level with its reason; the value is the text that is published.

    UNCERTAIN comes with a value, BAD without one. The set is closed: each member maps to one OPC UA StatusCode.
    """

    GOOD = "good"
    OUT_OF_RANGE = "uncertain:out_of_range"
    RATE = "uncertain:rate"
    STUCK = "uncertain:stuck"
    OVERFLOW = "uncertain:overflow"
    RESTART = "uncertain:restart"
    CLOCK = "uncertain:clock"
    STALE = "uncertain:stale"
    OUT_OF_SERVICE = "uncertain:out_of_service"
    NO_REPLY = "bad:no_reply"
    DEVICE_ERROR = "bad:device_error"
    WRONG_REPLY = "bad:wrong_reply"
    NOT_AVAILABLE = "bad:not_available"
    WIRE_BREAK = "bad:wire_break"
    SHORT_CIRCUIT = "bad:short_circuit"
    CONFIG = "bad:config"

    @cached_property
    def level(self) -> Level:
        """The part before the colon."""
        return Level(self.value.partition(":")[0])

    @cached_property
    def reason(self) -> str:
        """The part after the colon; empty for GOOD."""
        return self.value.partition(":")[2]


class ClockState(StrEnum):
    """What is known of the wall clock when a time is taken from it."""

    SYNCED = "synced"
    FREE_RUNNING = "free_running"
    CORRECTED = "corrected"


class Stamp(NamedTuple):
    """One instant on both clocks. `monotonic` counts from the boot and never steps; ages and periods use it."""

    time: int
    """Wall clock, UTC, ns since 1970."""
    monotonic: int
    """Monotonic clock of this boot, ns."""
    clock: ClockState


class Outside(StrEnum):
    """What becomes of a raw value beyond the two points of a scaling."""

    KEEP = "keep"
    """The line goes on."""
    CLAMP = "clamp"
    """The nearer end is published, UNCERTAIN, out of range."""
    REJECT = "reject"
    """BAD, not available; the reading is kept for the engineer."""


@dataclass(frozen=True, slots=True)
class TwoPoint:
    """A straight line through two points, as the data plate of a transmitter gives it: 4 to 20 mA are 0 to 10 bar."""

    raw: tuple[float, float]
    engineering: tuple[float, float]
    outside: Outside = Outside.KEEP


@dataclass(frozen=True, slots=True)
class ScaleFrom:
    """Another tag of the device by which a tag is multiplied."""

    tag: str
    power_of_ten: bool = False
    """The other tag holds an exponent, as the scale factors of SunSpec do: -1 for tenths."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A meter that counts upwards."""

    turn: float | None = None
    """Raw counts after which the meter begins again at zero, such as 65536; None where it never does."""
    total: bool = False
    """Whether a guarded total is published beside the reading."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One named point of a device. `address`, `type` and `parameters` are the driver's; the rest is the core's."""

    name: str
    address: str
    type: str
    """Data type in the driver's words, such as `float32` or `bool`."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What else makes the number: word order, CT ratio, profile version. Name and text, sorted by name."""
    unit: str | None = None
    """Engineering unit as people write it."""
    description: str = ""
    scale: float = 1.0
    offset: float = 0.0
    """Engineering value = raw value * scale + offset, in `unit`."""
    range: tuple[float, float] | None = None
    """Lowest and highest plausible engineering value."""
    deadband: float | None = None
    """Smallest change worth sending, in `unit`; None sends every sample, 0 every change."""
    period_s: float = 1.0
    scaling: TwoPoint | None = None
    """Takes the place of scale and offset."""
    scale_from: ScaleFrom | None = None
    """Multiplies what scale makes of the raw value."""
    max_rate_per_s: float | None = None
    """Fastest plausible change of the engineering value, per second."""
    stuck_after_s: float | None = None
    """A value that stands still for so long is UNCERTAIN, stuck."""
    stale_after_s: float | None = None
    """A last value older than this is UNCERTAIN, stale."""
    deadband_percent: float | None = None
    """Smallest change worth sending, in percent of the last value sent."""
    swinging_door: float | None = None
    """Largest error of a straight line between the points sent, in `unit`."""
    max_interval_s: float | None = None
    """A sample is sent after this time however little it changed."""
    counter: Counter | None = None
    texts: tuple[tuple[int, str], ...] = ()
    """What the numbers of an enumeration mean; the value stays a number."""
    bits: tuple[tuple[int, str], ...] = ()
    """What the bits of a whole number mean, counted from 0, the least one."""

    @property
    def scaled(self) -> bool:
        """Whether the engineering value differs from the raw one; then it is always a float."""
        return self.scale != 1.0 or self.offset != 0.0 or self.scaling is not None or self.scale_from is not None

    @property
    def total(self) -> Tag | None:
        """The guarded total beside a counter; None where none is asked for."""
        if self.counter is None or not self.counter.total:
            return None
        return replace(
            self,
            name=f"{self.name}{TOTAL_SUFFIX}",
            description=f"total of {self.name}, guarded against rollover, reset and exchange of the meter",
            range=None,
            max_rate_per_s=None,
            stuck_after_s=None,
            counter=None,
            texts=(),
            bits=(),
        )


TOTAL_SUFFIX: Final = "_total"
"""What the name of a counter's total ends with."""


@dataclass(frozen=True)
class Plan:
    """The tags of one device, made once a configuration. The columns of its batches stand in the order of `tags`."""

    device: str
    tags: tuple[Tag, ...]
    heartbeat_s: float = 60.0
    id: str = field(init=False)
    """Eight hex digits over all that makes the numbers, so that an auditor finds which scaling made one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", _plan_id(self.tags))

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Tag name to its position in the columns."""
        return {tag.name: position for position, tag in enumerate(self.tags)}

    @cached_property
    def published(self) -> Plan:
        """The plan of what leaves the gateway: these tags, and behind them the totals of counters."""
        totals = tuple(total for tag in self.tags if (total := tag.total) is not None)
        return Plan(self.device, self.tags + totals, self.heartbeat_s) if totals else self


def _plan_id(tags: Iterable[Tag]) -> str:
    makes_the_number = [
        (t.name, t.address, t.type, t.parameters, t.scale, t.offset, t.unit, *_other_scaling(t)) for t in tags
    ]
    return hashlib.sha256(repr(makes_the_number).encode()).hexdigest()[:8]


def _other_scaling(tag: Tag) -> tuple[TwoPoint | ScaleFrom, ...]:
    return tuple(scaling for scaling in (tag.scaling, tag.scale_from) if scaling is not None)


class Held(NamedTuple):
    """The last value of a tag that has no fresh one in a batch. It keeps its own time."""

    value: Value | None
    quality: Quality
    time: int
    """UTC, ns since 1970."""


@dataclass(slots=True)
class Batch:
    """What one acquisition of one device yields: many tags at one instant. A single reading never travels alone.

    `values` and `quality` are as long as `plan.tags`. Where `values` holds `ABSENT` the quality means nothing.
    A tag stands at most once in a batch: its second change opens the next one.
    """

    plan: Plan
    values: list[Cell]
    quality: list[Quality]
    stamp: Stamp
    """The arrival of the last reply."""
    offsets: list[int] | None = None
    """A tag's own time less the stamp's, ms; None for a block polled at one instant."""
    source_times: list[int | None] | None = None
    """Times that the source gave, UTC in ns."""
    source_status: dict[int, str] | None = None
    """The source's own status code by position, where it says more than the quality (an OPC UA StatusCode)."""
    raw: dict[int, Value] | None = None
    """Rejected readings by position, for the eye of an engineer."""
    held: dict[int, Held] | None = None
    """Last values by position of tags without a fresh one; filled in a snapshot."""
    unchanged: bool = False
    """The reply was identical, byte for byte, with the one before."""
    whole: bool = False
    """No cell is `ABSENT`: a stage may take the columns as they are. False where nobody looked."""

    @classmethod
    def bad(cls, plan: Plan, positions: Iterable[int], quality: Quality, stamp: Stamp) -> Batch:
        """A batch that says of the tags at `positions` that they cannot be read, and why."""
        batch = cls.empty(plan, stamp)
        for position in positions:
            batch.values[position] = None
            batch.quality[position] = quality
        return batch

    @classmethod
    def empty(cls, plan: Plan, stamp: Stamp) -> Batch:
        """A batch in which every tag is absent."""
        return cls(plan, [ABSENT] * len(plan.tags), [Quality.GOOD] * len(plan.tags), stamp)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it worth sending."""
        return not self.held and all(value is ABSENT for value in self.values)


@dataclass(frozen=True, slots=True)
class Notice:
    """A record of the gateway about itself: a gap or an event. It travels the way of the batches, as `_gateway`."""

    topic: str
    """`gaps` or `events`."""
    body: Mapping[str, str | int | float | bool | None]
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Gap:
    """Readings of one device that could not be kept. `count` is None where nobody can know."""

    device: str
    start: int
    """Time of the first reading lost, UTC in ns."""
    end: int
    """Time of the last reading lost, UTC in ns."""
    count: int | None
    """Batches lost."""
    reason: str
    """`spool_full`, `too_old`, `purged`, `disk_error`, `memory_full`, `refused`, `crash`, `power`, `overflow`."""

    def notice(self, stamp: Stamp) -> Notice:
        """The record that is published."""
        body = {
            "device": self.device,
            "from": iso_time(self.start),
            "to": iso_time(self.end),
            "count": self.count,
            "reason": self.reason,
        }
        return Notice("gaps", body, stamp)


GATEWAY_DEVICE: Final = "_gateway"
"""The device name under which notices travel."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the process: a counter kept on disk, a random suffix, and the kernel's boot id beside them."""

    counter: int
    suffix: str
    boot: str

    def __str__(self) -> str:
        return f"{self.counter:06d}-{self.suffix}"


class DeviceState(StrEnum):
    """How a device is doing."""

    ONLINE = "online"
    DEGRADED = "degraded"
    """Some of its tags cannot be read."""
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What is published, retained, of a device's health."""

    device: str
    state: DeviceState
    since: int
    """UTC, ns since 1970."""
    reason: str = ""
    """For a technician: what failed, where, and what to look at."""


def iso_time(time_ns: int) -> str:
    """`2026-11-24T10:15:00.250Z` of UTC nanoseconds; milliseconds, cut and not rounded."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{_iso_second(seconds)}.{rest // 1_000_000:03d}Z"


@lru_cache(maxsize=4)
def _iso_second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


def columns_of(batch: Batch) -> Sequence[tuple[Tag, Cell, Quality]]:
    """Tag, cell and quality side by side, absent ones left out. For tests and tools, not for the way of a reading."""
    rows = zip(batch.plan.tags, batch.values, batch.quality, strict=True)
    return [row for row in rows if row[1] is not ABSENT]
