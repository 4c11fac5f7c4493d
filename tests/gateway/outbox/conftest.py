"""A disk that can be made to fail, and to lose what was not synced; and short ways to say what a test is about."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from errno import ENOENT, ENOSPC
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import Batch, Notice, Run, Tag
from gateway.outbox.outbox import Outbox
from gateway.outbox.room import Room
from gateway.outbox.spool import Spool
from gateway.testing import ManualClock, sample_batch, sample_plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from gateway.outbox.entry import Entry

LARGE = 1_000_000_000


class PowerCutError(Exception):
    """The machine stopped in the middle of an operation on the disk."""


@dataclass(eq=False)
class Inode:
    """A file: what was written, and how much of it survives a power cut for certain."""

    content: bytearray = field(default_factory=bytearray)
    synced: int = 0
    time: int = 0


class Disk:
    """`Files` in memory. A power cut leaves what was synced, and of the rest whatever it likes.

    `fault` is asked before each operation that changes something, with its name and the file's; it may raise. A power
    cut may also strike after the operation: then `fault` raises when it is asked about `<operation> done`.
    """

    place = "the disk"

    def __init__(self, names: dict[str, Inode] | None = None, free: int = LARGE) -> None:
        self.names = names or {}
        self.durable_names = dict(self.names)
        self.pending: list[tuple[str, ...]] = []
        self.free = free
        self.bytes_read = 0
        self.is_off = False
        self.operations: list[str] = []
        self.fault: Callable[[str, str], None] = lambda _operation, _name: None

    def prepare(self) -> None:
        """The folder is there."""
        self._ask("prepare", "")

    def release(self) -> None:
        """Nobody else is there."""

    def sizes(self) -> dict[str, int]:
        """All files."""
        return {name: len(inode.content) for name, inode in self.names.items()}

    def read(self, name: str, start: int, size: int) -> bytes:
        """A piece of a file."""
        self._ask("read", name)
        data = bytes(self._inode(name).content[start : start + size])
        self.bytes_read += len(data)
        return data

    def create(self, name: str) -> OpenInode:
        """A new file."""
        self._ask("create", name)
        self.names[name] = Inode()
        self.pending.append(("create", name))
        self._ask("create done", name)
        return OpenInode(self, name, self.names[name])

    def append(self, name: str) -> OpenInode:
        """A file to add to."""
        self._ask("append", name)
        return OpenInode(self, name, self._inode(name))

    def truncate(self, name: str, size: int) -> None:
        """Cut a file, synced."""
        self._ask("truncate", name)
        inode = self._inode(name)
        del inode.content[size:]
        inode.synced = size
        self._ask("truncate done", name)

    def rename(self, old: str, new: str) -> None:
        """Another name, in one step."""
        self._ask("rename", new)
        self.names[new] = self.names.pop(old)
        self.pending.append(("rename", old, new))
        self._ask("rename done", new)

    def unlink(self, name: str) -> None:
        """No name any more."""
        self._ask("unlink", name)
        self._inode(name)
        del self.names[name]
        self.pending.append(("unlink", name))
        self._ask("unlink done", name)

    def sync_folder(self) -> None:
        """The names are durable."""
        self._ask("sync_folder", "")
        self.durable_names = dict(self.names)
        self.pending.clear()
        self._ask("sync_folder done", "")

    def free_bytes(self) -> int:
        """What is left of the disk."""
        return self.free - sum(len(inode.content) for inode in self.names.values())

    def touch(self, name: str, time_ns: int) -> None:
        """Set the time of a file."""
        self._ask("touch", name)
        self._inode(name).time = time_ns

    def touched(self, name: str) -> int:
        """The time of a file."""
        return self._inode(name).time

    def killed(self) -> Disk:
        """The disk after a `kill -9`: the kernel still has all that was written."""
        return Disk(dict(self.names), self.free)

    def power_cut(self, random: Random) -> Disk:
        """The disk after a power cut: each thing that was not synced is there, or not, or half."""
        names = dict(self.durable_names)
        for operation, *arguments in self.pending:
            if random.random() < 0.5:
                self._redo(names, operation, arguments)
        return Disk({name: _torn(inode, random) for name, inode in names.items()}, self.free)

    def add(self, name: str, inode: Inode, data: bytes) -> None:
        """Add to a file, as far as there is room."""
        self._ask("write", name)
        if len(data) > self.free_bytes():
            inode.content += data[: self.free_bytes()]
            raise OSError(ENOSPC, "No space left on device")
        inode.content += data
        self._ask("write done", name)

    def sync(self, name: str, inode: Inode) -> None:
        """All of the file's content is durable."""
        self._ask("sync", name)
        inode.synced = len(inode.content)
        self._ask("sync done", name)

    def _redo(self, names: dict[str, Inode], operation: str, arguments: list[str]) -> None:
        if operation == "create" and arguments[0] in self.names:
            names[arguments[0]] = self.names[arguments[0]]
        elif operation == "rename" and arguments[1] in self.names:
            names.pop(arguments[0], None)
            names[arguments[1]] = self.names[arguments[1]]
        elif operation == "unlink":
            names.pop(arguments[0], None)

    def _inode(self, name: str) -> Inode:
        if name not in self.names:
            raise FileNotFoundError(ENOENT, "No such file or directory", name)
        return self.names[name]

    def _ask(self, operation: str, name: str) -> None:
        if self.is_off:
            raise PowerCutError(operation)
        self.operations.append(operation)
        try:
            self.fault(operation, name)
        except PowerCutError:
            self.is_off = True
            raise


class OpenInode:
    """A file that is open to be added to."""

    def __init__(self, disk: Disk, name: str, inode: Inode) -> None:
        self.disk = disk
        self.name = name
        self.inode = inode

    def write(self, data: bytes) -> None:
        """Add to the end."""
        self.disk.add(self.name, self.inode, data)

    def sync(self) -> None:
        """Make it durable."""
        self.disk.sync(self.name, self.inode)

    def close(self) -> None:
        """Nothing is left open in memory."""


def _torn(inode: Inode, random: Random) -> Inode:
    kept = bytes(inode.content[: inode.synced])
    rest = bytes(inode.content[inode.synced :])
    tails = (b"", rest, rest[: random.randint(0, len(rest))], bytes(len(rest)), random.randbytes(len(rest)))
    tail = random.choice(tails)
    return Inode(bytearray(kept + tail), len(kept + tail), inode.time)


class Rig:
    """An outbox over a disk, with a clock that is moved by hand."""

    def __init__(
        self,
        disk: Any = None,
        *,
        with_spool: bool = True,
        keep_outages_apart: bool = True,
        boot: str = "",
        settings: dict[str, Any] | None = None,
        **room: int,
    ) -> None:
        self.disk = Disk() if disk is None else disk
        self.clock = ManualClock()
        self.room = Room(**{"max_bytes": LARGE, **room})
        self.settings: dict[str, Any] = {"replay_rate": 1e9, **(settings or {})}
        self.runs = count(1)
        self.numbers = count(1)
        self.names: dict[int, tuple[str, str, int]] = {}
        """The value of each batch that was put, and the name that it got."""
        self.with_spool = with_spool
        self.boot = boot
        self.keep_outages_apart = keep_outages_apart
        self.outages: list[Notice] = []
        """The records of outages, where they are kept apart: a test then sees only what it is about."""
        self.start()

    def start(self) -> None:
        """The process begins."""
        self.run = Run(next(self.runs), "8c1f9a3e", "boot")
        self.spool = Spool(self.disk, self.clock, self.room, self.boot)
        if self.with_spool:
            self.spool.start()
        self.outbox = Outbox(self.run, self.clock, self.spool if self.with_spool else None, **self.settings)
        if self.keep_outages_apart:
            vars(self.outbox)["_tell_outage"] = self.outages.append

    def put(self, how_many: int = 1, device: str = "press-12") -> list[int]:
        """Batches of one tag, each with a value of its own; returns the values."""
        values = [next(self.numbers) for _ in range(how_many)]
        for value in values:
            self.outbox.put(sample_batch(one_tag_plan(device), [value], self.clock.now()))
            self.names[value] = (device, str(self.run), self.outbox._seqs[device])
        return values

    def notice(self, number: int = 0) -> None:
        """An event of the gateway."""
        self.outbox.put(Notice("events", {"number": number}, self.clock.now()))

    async def take_next(self) -> Entry | None:
        """What could be taken without waiting."""
        try:
            async with asyncio.timeout(0):
                return await self.outbox.take()
        except TimeoutError:
            return None

    async def take(self, most: int = 1_000_000) -> list[Entry]:
        """All that can be taken now, and what is loaded meanwhile."""
        taken: list[Entry] = []
        while len(taken) < most:
            entry = await self.take_next()
            if entry is None:
                before = self.outbox.counters
                await self.outbox.tend()
                entry = await self.take_next()
                if entry is None and self.outbox.counters == before:
                    return taken
            if entry is not None:
                taken.append(entry)
        return taken

    def acknowledge(self, entries: list[Entry]) -> None:
        """The broker has them."""
        for entry in entries:
            self.outbox.acknowledge(entry)

    async def tend(self, seconds: float = 0.0) -> None:
        """Time passes, then the outbox looks after its disk."""
        self.clock.advance(seconds)
        await self.outbox.tend()

    async def drain(self) -> list[Entry]:
        """Take and acknowledge all there is, gap records that wait for their turn as well."""
        drained: list[Entry] = []
        for _ in range(3):
            while taken := await self.take():
                self.acknowledge(taken)
                drained += taken
            await self.tend(11.0)
        return drained

    def killed(self) -> None:
        """`kill -9`, and a new process."""
        self.disk = self.disk.killed()
        self.start()

    def power_cut(self, random: Random) -> None:
        """The machine loses power and starts again."""
        self.disk = self.disk.power_cut(random)
        self.start()


def one_tag_plan(device: str) -> Any:
    """A plan of one whole number."""
    return sample_plan(device, Tag("number", "holding:1", "uint32"))


def numbers(entries: list[Entry]) -> list[int]:
    """The values of the batches among these entries."""
    return [entry.item.values[0] for entry in entries if isinstance(entry.item, Batch)]


def gap_bodies(entries: list[Entry]) -> list[dict[str, Any]]:
    """The gap records among these entries."""
    return [dict(e.item.body) for e in entries if isinstance(e.item, Notice) and e.item.topic == "gaps"]


@pytest.fixture
def disk() -> Disk:
    """A disk in memory."""
    return Disk()


@pytest.fixture
def rig() -> Rig:
    """An outbox over a disk in memory."""
    return Rig()


@pytest.fixture
def new_rig() -> type[Rig]:
    """Makes outboxes with other bounds."""
    return Rig


@pytest.fixture
def power_cut_error() -> type[PowerCutError]:
    """What a fault of the disk raises to stop the machine."""
    return PowerCutError


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock()
