"""How the outbox is doing: what the status shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Durability:
    """Whether what is older than 2 s and not acknowledged is on disk, synced."""

    on_disk: bool
    cause: str = ""
    """Why not; for a technician."""
    since: int | None = None
    """Since when not, UTC in ns."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What went through since the start, in entries, and what waits now."""

    put: int
    acknowledged: int
    refused: int
    spilled: int
    dropped: int
    """Lost, and counted in a gap: memory full, spool full, or not to be written."""
    damaged: int
    """Lost on disk, and counted in a gap."""
    waiting_in_memory: int
    waiting_on_disk: int
    spool_bytes: int
    bytes_written: int
    """To the disk, by this process."""
    bytes_a_day: int
    """To the disk, by the last 24 hours."""
    card_life_years: float
    """How long a new card would last at that rate, by `card_endurance_tb`; 100 at most."""
    segments_aside: int
    """Files of the spool that another major format wrote; they are left as they are."""

    @property
    def wear(self) -> str:
        """What the disk is written, for a status line: `disk 12 MB a day, card lasts 9 years`."""
        digits = 0 if self.card_life_years >= 10 else 1  # noqa: PLR2004 - two digits of it
        return f"disk {self.bytes_a_day / 1e6:.0f} MB a day, card lasts {self.card_life_years:.{digits}f} years"
