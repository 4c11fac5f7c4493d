"""Plausible signals of machines, for every simulator: deterministic by key, shaped by unit and limits, smooth in time.

The same key at the same time gives the same value in every process, so a test can say what a device must show.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from math import pi, sin
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Band(NamedTuple):
    """The values between which a quantity moves when all is well."""

    low: float
    high: float

    def inner(self) -> Band:
        """The middle three fifths: far enough from both ends to stay plausible."""
        margin = 0.2 * (self.high - self.low)
        return Band(self.low + margin, self.high - margin)

    def holds(self, other: Band) -> bool:
        """Whether all of the other band lies in this one."""
        return self.low <= other.low and other.high <= self.high

    def at(self, share: float) -> float:
        """The value at this share of the way from low (0) to high (1), never outside."""
        return min(max(self.low + share * (self.high - self.low), self.low), self.high)


ORDINARY: Final = {
    "V": Band(225, 235),
    "kV": Band(9.8, 10.2),
    "mV": Band(200, 800),
    "A": Band(8, 24),
    "mA": Band(6, 18),
    "W": Band(2000, 9000),
    "kW": Band(20, 80),
    "MW": Band(1, 4),
    "var": Band(500, 2500),
    "kvar": Band(5, 25),
    "VA": Band(2500, 9500),
    "kVA": Band(25, 90),
    "Hz": Band(49.95, 50.05),
    "°C": Band(40, 70),
    "Cel": Band(40, 70),
    "degC": Band(40, 70),
    "K": Band(310, 340),
    "bar": Band(4, 7),
    "mbar": Band(980, 1030),
    "Pa": Band(98_000, 103_000),
    "kPa": Band(98, 103),
    "MPa": Band(12, 20),
    "%": Band(30, 80),
    "r/min": Band(1440, 1495),
    "1/min": Band(1440, 1495),
    "rpm": Band(1440, 1495),
    "m/s": Band(0.5, 2.5),
    "mm/s": Band(1, 4),
    "mm": Band(100, 400),
    "kN": Band(150, 600),
    "l/min": Band(10, 40),
    "m3/h": Band(2, 12),
    "m³/h": Band(2, 12),
    "°": Band(10, 350),
}
"""Where a quantity with this unit usually stands on a shop floor fed with 230 V and 50 Hz."""

OTHERWISE: Final = Band(20, 80)
"""For units that `ORDINARY` does not know, and for none."""

GROWTH: Final = {
    "Wh": 20.0,
    "kWh": 0.02,
    "MWh": 0.000_02,
    "varh": 5.0,
    "kvarh": 0.005,
    "VAh": 22.0,
    "kVAh": 0.022,
    "m3": 0.002,
    "m³": 0.002,
    "h": 1 / 3600,
    "pcs": 0.5,
}
"""Units of what only grows, and by how much a second: a load of 72 kW, a pump of 7.2 m³/h, a part every 2 s."""

_WAVES: Final = ((0.6, 60.0, 180.0), (0.3, 11.0, 23.0), (0.1, 2.0, 5.0))
"""Share of the movement, shortest and longest period in s: the load, the cycle, the ripple."""


def analog(key: str, unit: str | None, limits: Sequence[float] | None, t: float) -> float:
    """The engineering value of one signal at `t` seconds, in `unit`.

    Inside `limits` (lowest, highest) it keeps to the inner part, at the unit's ordinary values where these fit. What
    counts (kWh, m³, h) never falls; it stands still at the top of its inner part.
    """
    if unit in GROWTH:
        return _counted(key, GROWTH[unit], limits, t)
    return _band(unit, limits).at(0.5 + 0.5 * _wave(key, t))


def digital(key: str, t: float) -> bool:
    """The state of one contact at `t` seconds; it changes irregularly, after 1 to 6 s."""
    first, changes = _contact(key)
    return first ^ bool(bisect_right(changes, t % changes[-1]) % 2)


def _band(unit: str | None, limits: Sequence[float] | None) -> Band:
    """The unit's ordinary values where they fit the limits, else the inner part of the limits."""
    if limits is None:
        return ORDINARY.get(unit or "", OTHERWISE)
    inner = Band(*limits).inner()
    ordinary = ORDINARY.get(unit or "", inner)
    return ordinary if inner.holds(ordinary) else inner


def _counted(key: str, growth: float, limits: Sequence[float] | None, t: float) -> float:
    start = _fractions(key)[0]
    if limits is None:
        return growth * (50_000 * (1 + start) + t)
    inner = Band(*limits).inner()
    return min(inner.at(start / 2) + growth * max(t, 0.0), inner.high)


def _wave(key: str, t: float) -> float:
    """Between -1 and 1: three sines whose periods and phases come from the key."""
    fractions = _fractions(key)
    total = 0.0
    for n, (share, shortest, longest) in enumerate(_WAVES):
        period = shortest + (longest - shortest) * fractions[2 * n]
        total += share * sin(2 * pi * (t / period + fractions[2 * n + 1]))
    return total


@lru_cache(maxsize=4096)
def _fractions(key: str) -> tuple[float, ...]:
    """Eight numbers from 0 to 1 that belong to the key."""
    digest = sha256(key.encode()).digest()
    return tuple(int.from_bytes(digest[n : n + 4], "big") / 0xFFFFFFFF for n in range(0, 32, 4))


@lru_cache(maxsize=4096)
def _contact(key: str) -> tuple[bool, list[float]]:
    """The first state, and the times of 32 changes after which all begins again."""
    digest = sha256(b"contact " + key.encode()).digest()
    return bool(digest[0] & 1), list(accumulate(1 + 5 * byte / 255 for byte in digest))
