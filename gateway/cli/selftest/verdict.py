"""What was put, what arrived, and what follows from the two."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from gateway.cli.selftest.child import PERIOD_S, PLANS, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

YOUNG_S: Final = 2.0
"""What is younger than this when the process is killed may be lost with it."""

WINDOW: Final = 16
"""Messages under way at most: so many may come twice after a lost link."""

REPLAY_A_SECOND: Final = 700
"""Messages of history a second: what may come twice after a kill, since the cursor moves once a second."""

_LINKS_LOST: Final = 3
"""Two cuts and the kill."""

TWICE_AT_MOST: Final = _LINKS_LOST * WINDOW + REPLAY_A_SECOND


@dataclass(slots=True)
class Life:
    """One process of the gateway."""

    run: int
    progress: list[tuple[float, int]] = field(default_factory=list)
    """Monotonic time in s, and the last seq that had been put of each device."""
    killed_at: float | None = None

    @property
    def told(self) -> int:
        """The last seq that it said it had put."""
        return self.progress[-1][1] if self.progress else 0

    @property
    def safe(self) -> int:
        """The last seq that may not be lost."""
        if self.killed_at is None:
            return self.told
        return max((seq for at, seq in self.progress if at <= self.killed_at - YOUNG_S - PERIOD_S), default=0)


class Verdict(NamedTuple):
    """Counts of batches; the names of the fields are those of the JSON."""

    put: int
    arrived: int
    lost: int
    """Of those that may not be lost."""
    lost_young: int
    """Of those that were younger than two seconds when the process was killed."""
    twice: int
    twice_at_most: int
    wrong: int
    """Values that are not what was put."""
    history: int
    """Arrived from disk."""
    kill_was_told: bool
    """A gap record of reason `crash` arrived."""
    seconds: float

    @property
    def good(self) -> bool:
        """Whether every promise held."""
        kept = self.lost == self.wrong == 0 and self.twice <= self.twice_at_most
        return kept and self.kill_was_told and self.arrived > 0 and self.history > 0


class Evidence:
    """What the witness has heard."""

    def __init__(self) -> None:
        self._heard: Counter[tuple[str, int, int]] = Counter()
        self._wrong = 0
        self._crashes = 0
        self.history = 0
        """Batches that had waited on disk."""

    def take(self, topic: str, payload: bytes) -> None:
        """One message."""
        if topic.endswith(("/data", "/history")):
            self._batch(msgspec.json.decode(payload), from_disk=topic.endswith("/history"))
        elif topic.endswith("/gaps"):
            self._crashes += msgspec.json.decode(payload)["reason"] == "crash"

    def newest(self, life: Life) -> int:
        """The last seq that arrived of a life."""
        return max((seq for _, run, seq in self._heard if run == life.run), default=0)

    def misses(self, life: Life, end: int) -> int:
        """How many of a life's batches up to the seq `end` did not arrive."""
        return sum((plan.device, life.run, seq) not in self._heard for plan in PLANS for seq in range(1, end + 1))

    def verdict(self, lives: Sequence[Life], seconds: float) -> Verdict:
        """What follows from it."""
        lost = sum(self.misses(life, life.safe) for life in lives)
        return Verdict(
            put=sum(life.told for life in lives) * len(PLANS),
            arrived=len(self._heard),
            lost=lost,
            lost_young=sum(self.misses(life, life.told) for life in lives) - lost,
            twice=sum(self._heard.values()) - len(self._heard),
            twice_at_most=TWICE_AT_MOST,
            wrong=self._wrong,
            history=self.history,
            kill_was_told=self._crashes > 0,
            seconds=round(seconds, 1),
        )

    def _batch(self, told: dict[str, Any], *, from_disk: bool) -> None:
        seq = told["seq"]
        self._heard[told["device"], int(told["run"].partition("-")[0]), seq] += 1
        self.history += from_disk
        tags = PLANS[0].tags
        right = {tag.name: value_of(seq, number) for number, tag in enumerate(tags)}
        self._wrong += told["values"] != right
