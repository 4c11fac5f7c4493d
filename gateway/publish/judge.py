"""What the broker's answer to a message means: delivered, to be sent again, or refused for good.

Reason codes of PUBACK are those of MQTT 5 (OASIS, 2019), section 3.4.2.1. MQTT 3.1.1 has none: there every
acknowledgement is a success, also that of a message which the broker threw away.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.clock import Clock

NO_SUBSCRIBERS: Final = 0x10
NOT_AUTHORIZED: Final = 0x87

_FAILURE: Final = 0x80
_FATAL: Final = frozenset({0x90, 0x91, 0x99})
"""Topic name invalid, packet identifier in use, payload format invalid: the same message will never do better."""

DENIALS: Final = 3
"""So often a topic is denied before its messages are refused for good: an access list may be reloading."""

FAILURES: Final = 10
FAILING_S: Final = 60.0
"""So often, and for so long, a topic fails in any other way while the broker takes other topics."""

_LONGEST_PAUSE_S: Final = 60.0


class Verdict(Enum):
    """What becomes of the message."""

    DELIVERED = auto()
    AGAIN = auto()
    REFUSED = auto()


@dataclass(slots=True)
class _Record:
    since_s: float
    failures: int = 0


class Judge:
    """Remembers by topic what the broker does not take, so that one bad topic harms only itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._success_s = float("-inf")

    def verdict(self, topic: str, code: int) -> Verdict:
        """What the answer `code` means for a message to `topic`."""
        now_s = self._clock.monotonic_s()
        if code < _FAILURE:
            self._records.pop(topic, None)
            self._success_s = now_s
            return Verdict.DELIVERED
        record = self._records.setdefault(topic, _Record(now_s))
        record.failures += 1
        if code in _FATAL or (code == NOT_AUTHORIZED and record.failures >= DENIALS):
            return Verdict.REFUSED
        hopeless = record.failures >= FAILURES and now_s - record.since_s >= FAILING_S
        return Verdict.REFUSED if hopeless and self._success_s > record.since_s else Verdict.AGAIN

    def failures(self, topic: str) -> int:
        """How often the topic failed since a message to it was last delivered."""
        record = self._records.get(topic)
        return 0 if record is None else record.failures


def pause_after(refusals: int, first_s: float) -> float:
    """How long to wait before a message is sent again that was refused so often, s: `first_s`, doubling to a minute."""
    return min(_LONGEST_PAUSE_S, first_s * 2.0 ** min(16, max(0, refusals - 1)))
