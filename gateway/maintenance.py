"""Orders of a technician to the running gateway: out of service, in service again, acknowledge an alarm.

They stand in a small file in the state folder, so they hold over a restart, and a stopped gateway finds them when it
starts. Whoever may write the folder may give them; nobody else. The file is only ever replaced as a whole.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.model import Stamp

FILE: Final = "maintenance.json"
"""The name of the file in the state folder."""

MOST_KEPT: Final = 100
"""Orders that are done with and still kept, of each kind, for a gateway that has not seen them yet."""

_MOST_BYTES: Final = 1_000_000


class OrdersError(Exception):
    """The file cannot be read or written. The text is for a technician."""


class Outage(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A device or tag under maintenance."""

    id: str
    """Unlike any other order's."""
    what: str
    """`device` or `device.tag`."""
    reason: str
    by: str
    """Who ordered it."""
    since: int
    """UTC, ns since 1970."""
    until: int
    """UTC, ns since 1970."""
    boot: str = ""
    """The kernel's id of the boot in which it was ordered; in it, `until_monotonic` counts and no clock that is set."""
    until_monotonic: int = 0
    """Monotonic, ns."""
    ended_by: str | None = None
    """Who put it into service again."""

    def holds(self, now: Stamp, boot: str) -> bool:
        """Whether it is in force."""
        if self.ended_by is not None:
            return False
        if boot and boot == self.boot:
            return now.monotonic < self.until_monotonic
        return now.time < self.until


class Acknowledgement(msgspec.Struct, kw_only=True, frozen=True):
    """Somebody has seen an alarm."""

    id: str
    """Unlike any other order's."""
    what: str
    """`device`, or `device.tag.alarm`."""
    by: str


class Orders(msgspec.Struct, kw_only=True, frozen=True):
    """All that is ordered."""

    version: int = 1
    out_of_service: tuple[Outage, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()

    def with_outage(self, outage: Outage) -> Orders:
        """With one thing more out of service; an earlier order for the same thing is replaced."""
        others = [one for one in self.out_of_service if one.what != outage.what or one.ended_by is not None]
        return msgspec.structs.replace(self, out_of_service=(*_newest(others), outage))

    def without_outage(self, what: str, by: str) -> Orders:
        """With one thing in service again."""
        ended = [_ended(one, by) if one.what == what else one for one in self.out_of_service]
        return msgspec.structs.replace(self, out_of_service=tuple(_newest(ended)))

    def with_acknowledgement(self, acknowledgement: Acknowledgement) -> Orders:
        """With one alarm more acknowledged."""
        kept = (*self.acknowledgements, acknowledgement)[-MOST_KEPT:]
        return msgspec.structs.replace(self, acknowledgements=kept)


def new_id() -> str:
    """Eight random hex digits."""
    return secrets.token_hex(4)


def read_orders(folder: Path) -> Orders:
    """What the file says; no orders where there is none.

    Raises:
        OrdersError: it cannot be read, or is not what the tool writes.
    """
    file = folder / FILE
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return Orders()
    except OSError as error:
        raise OrdersError(f"{file} cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise OrdersError(f"{file} is larger than {_MOST_BYTES} bytes: it was not written by edge-gateway")
    try:
        orders = msgspec.json.decode(content, type=Orders)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OrdersError(f"{file} is damaged: {error}; remove it, then give the orders again") from error
    if orders.version != 1:
        raise OrdersError(f"{file} is of version {orders.version}; this release reads 1")
    return orders


@contextmanager
def rewriting(folder: Path) -> Iterator[list[Orders]]:
    """Hold off other writers, give the orders as they are in a list of one, and write what stands in it at the end.

    Raises:
        OrdersError: the folder or the file cannot be used.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OrdersError(f"the state folder {folder} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        orders = [read_orders(folder)]
        yield orders
        _write(descriptor, orders[0])
    except OSError as error:
        raise OrdersError(f"{folder / FILE} cannot be written: {error.strerror}") from error
    finally:
        os.close(descriptor)


def _write(folder: int, orders: Orders) -> None:
    """Write beside the file and exchange, so that a reader and a power cut find the old orders or the new ones."""
    name = f".{FILE}.{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(name, flags, 0o644, dir_fd=folder), "wb") as stream:
            os.fchmod(stream.fileno(), 0o644)  # the gateway runs as another user than the one who gives orders
            stream.write(msgspec.json.format(msgspec.json.encode(orders)) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, FILE, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise


def _ended(one: Outage, by: str) -> Outage:
    return one if one.ended_by is not None else msgspec.structs.replace(one, ended_by=by)


def _newest(outages: list[Outage]) -> list[Any]:
    """All that is in force, and the newest of what is over."""
    over = [one for one in outages if one.ended_by is not None][-MOST_KEPT:]
    return [one for one in outages if one.ended_by is None] + over
