"""Whether somebody who knows the time has set the wall clock of this machine.

The rule: the kernel's word counts where it may be asked, and systemd-timesyncd's mark where it may not.

- The kernel holds one flag for chrony, ntpd, timesyncd and PTP alike, and raises it again by itself when nobody has set
  the clock for about nine hours (adjtimex(2), TIME_ERROR: the error bound grows by 500 us a second up to 16 s). Reading
  it needs no privilege, but the system calls `adjtimex` and `clock_adjtime` must not be filtered out. chrony lowers the
  flag only with `rtcsync` in its configuration, as Debian ships it (chrony.conf(5)).
- The mark is a file that timesyncd touches once it has set the clock in this boot (systemd-timesyncd.service(8)).
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

TIMESYNCD_MARK: Final = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches this file once it has set the clock (systemd-timesyncd.service(8))."""

_TIME_ERROR: Final = 5
"""What adjtimex(2) returns while the clock is not synchronised; 0 to 4 tell of leap seconds on one that is."""

_TIMEX_BYTES: Final = 256
"""More than any `struct timex` of Linux (208 on 64 bit). All zero, it asks and changes nothing."""


class Synchronisation:
    """Asks the kernel, or looks for the mark.

    Args:
        kernel_says: whether the clock is synchronised; None where the kernel may not be asked.
        mark: timesyncd's file.
    """

    def __init__(self, kernel_says: Callable[[], bool | None] | None = None, mark: Path = TIMESYNCD_MARK) -> None:
        self._kernel_says = kernel_says or kernel_says_synchronised
        self._mark = mark

    def __call__(self) -> bool:
        """Whether the clock is synchronised at this moment."""
        said = self._kernel_says()
        return self._mark.exists() if said is None else said


def kernel_says_synchronised() -> bool | None:
    """Whether the kernel holds the clock for synchronised; None where it may not be asked."""
    adjtimex = _adjtimex()
    if adjtimex is None:
        return None
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return None if state < 0 else state != _TIME_ERROR


@cache
def _adjtimex() -> Callable[[ctypes.Array[ctypes.c_char]], int] | None:
    try:
        function = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError):
        return None
    function.restype = ctypes.c_int
    return function
