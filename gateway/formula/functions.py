"""The functions that a formula may call: their names, what they take, what they become."""

from __future__ import annotations

from dataclasses import dataclass
from math import pow as power
from math import sqrt
from typing import TYPE_CHECKING, Final

from gateway.formula.memory import Integral, MovingAverage, Previous, SecondsSince

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.formula.memory import Memory

PER_S: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
"""Seconds of the units in which an integral counts time."""

MOST_SECONDS: Final = 86_400
"""The longest moving average."""

MOST_DECIMALS: Final = 15
"""A float has no more decimal digits to round to (IEEE 754 binary64)."""

MOST_EXPONENT: Final = 10
"""The largest exponent of `**`, either way."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A function of its arguments alone."""

    call: Callable[..., float]
    fewest: int
    most: int
    usage: str


@dataclass(frozen=True, slots=True)
class Remembering:
    """A function that remembers. It has one argument that varies and at most one fixed one, its `option`."""

    memory: Callable[..., Memory]
    usage: str
    option: str | None = None
    by_name_only: bool = False
    """The option is written `per="h"`, never without its name."""


PLAIN: Final = {
    "abs": Plain(abs, 1, 1, "abs(x)"),
    "max": Plain(max, 2, 16, "max(a, b, ...)"),
    "min": Plain(min, 2, 16, "min(a, b, ...)"),
    "round": Plain(round, 1, 2, "round(x) or round(x, decimals)"),
    "sqrt": Plain(sqrt, 1, 1, "sqrt(x)"),
}

REMEMBERING: Final = {
    "integral": Remembering(Integral, 'integral(x, per="h")', "per", by_name_only=True),
    "moving_average": Remembering(MovingAverage, "moving_average(x, seconds)", "seconds"),
    "previous": Remembering(Previous, "previous(x)"),
    "seconds_since": Remembering(SecondsSince, "seconds_since(condition)"),
}

NAMES: Final = tuple(sorted([*PLAIN, *REMEMBERING]))
"""All functions, sorted."""

__all__ = ["MOST_DECIMALS", "MOST_EXPONENT", "MOST_SECONDS", "NAMES", "PER_S", "PLAIN", "REMEMBERING", "power"]
