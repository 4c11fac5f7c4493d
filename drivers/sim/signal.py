"""Signals by name: what an address of a simulated tag means."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

from gateway.signals import analog, digital

if TYPE_CHECKING:
    from gateway.model import Tag, Value

TYPES: Final = {"analog": "float", "digital": "bool", "text": "text", "counter": "int"}
"""Signal to the type of its values."""

CONSTANT: Final = "constant:"


@dataclass(frozen=True, slots=True)
class Signal:
    """One understood address."""

    name: str
    """A key of `TYPES`, or `constant`."""
    type: str
    constant: Value | None = None

    def value(self, key: str, tag: Tag, count: int, now_s: float) -> Value:
        """The raw value: its `count`-th reading, at `now_s` on the monotonic clock."""
        match self.name:
            case "analog":
                return (analog(key, tag.unit, tag.range, now_s) - tag.offset) / (tag.scale or 1.0)
            case "digital":
                return digital(key, now_s)
            case "text":
                return "running" if digital(key, now_s) else "stopped"
            case "counter":
                return count
            case _:
                assert self.constant is not None
                return self.constant


def parse_signal(address: str) -> Signal:
    """Understand an address.

    Raises:
        ValueError: there is no such signal; the text lists them.
    """
    if address in TYPES:
        return Signal(address, TYPES[address])
    if address.startswith(CONSTANT):
        constant = _constant(address.removeprefix(CONSTANT))
        return Signal("constant", {bool: "bool", int: "int", float: "float", str: "text"}[type(constant)], constant)
    raise ValueError(f"there is no signal {address!r}: write {', '.join(TYPES)} or {CONSTANT} and a value")


def _constant(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    if not isfinite(number):
        raise ValueError(f"{text} is no value that a device can send")
    return number
