"""What the publisher remembers from one session to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.publish.judge import Judge
from gateway.publish.retained import Retained
from gateway.publish.suspicion import Suspicion

if TYPE_CHECKING:
    from gateway.clock import Clock


@dataclass(slots=True)
class Counters:
    """Since the start of the process."""

    sent: int = 0
    """Messages handed to the broker."""
    acknowledged: int = 0
    """Messages that the broker took."""
    refused: int = 0
    """Entries that were given up because the broker will never take them."""
    sessions: int = 0
    """How often a session was established."""


class Memory:
    """Retained messages, and what is known of the broker's dislikes."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.retained = Retained()
        self.judge = Judge(clock)
        self.suspicion = Suspicion()
        self.counters = Counters()
        self.told_no_subscribers = False
        """Whether the log has said that nobody listens; once is enough."""
        self.told_refused: set[str] = set()
        """Devices of which an event has said that the broker refuses them, until it takes something of theirs."""
