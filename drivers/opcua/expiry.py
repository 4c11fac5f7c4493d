"""Tells of certificates before they run out: 60, 30 and 7 days before, and when they have."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from drivers.opcua.names import common_name, day

if TYPE_CHECKING:
    from cryptography import x509

    from gateway.clock import Clock

MARKS_DAYS: Final = (60, 30, 7, 0)

LOOK_S: Final = 43_200.0
"""Time between two looks at the calendar."""

_DAY_S: Final = 86_400

_log = structlog.get_logger()


class Expiry:
    """Remembers what it has told, so that each mark is told once for each certificate."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._told: dict[str, tuple[x509.Certificate, int]] = {}

    async def watch(self, whose: dict[str, tuple[x509.Certificate, str]]) -> None:
        """Look twice a day, for ever. Each certificate comes with what to do."""
        while True:
            for owner, (certificate, remedy) in whose.items():
                self.look(owner, certificate, remedy)
            await asyncio.sleep(LOOK_S)

    def look(self, owner: str, certificate: x509.Certificate, remedy: str) -> None:
        """Warn where another mark is reached."""
        days = (certificate.not_valid_after_utc - now_of(self._clock)).total_seconds() / _DAY_S
        reached = min((mark for mark in MARKS_DAYS if days <= mark), default=None)
        if reached is None or self._told.get(owner) == (certificate, reached):
            return
        self._told[owner] = (certificate, reached)
        _log.warning(
            "certificate runs out" if days > 0 else "certificate has run out",
            url=self._url,
            of=owner,
            name=common_name(certificate),
            valid_until=day(certificate.not_valid_after_utc),
            days_left=max(0, int(days)),
            do=remedy,
        )


def now_of(clock: Clock) -> datetime:
    """The wall clock's time, as certificates count it."""
    return datetime.fromtimestamp(clock.now().time / 1e9, UTC)
