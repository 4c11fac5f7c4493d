"""Notices two clients with one id that throw each other out, at a broker that does not say so.

MQTT 5 has the code 0x8E for it. MQTT 3.1.1 has none, and mosquitto 2.0.11 hangs up without a word in either version. So
a broker that closes the connection in good order, soon after it began, several times in a row, is taken for that:
otherwise the two would take turns every few seconds, for ever. A link that breaks does not end in good order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.publish.endings import SessionEnd, taken_over_silently

if TYPE_CHECKING:
    from gateway.publish.settings import BrokerSettings

SHORT_S: Final = 60.0
TIMES: Final = 3


class Turns:
    """Counts short sessions that the broker closed in good order and without a word."""

    def __init__(self) -> None:
        self._count = 0

    def judged(self, end: SessionEnd, lasted_s: float, settings: BrokerSettings) -> SessionEnd:
        """The end as it is to be told: itself, or a silent take-over."""
        if lasted_s >= SHORT_S:
            self._count = 0
        if not end.is_silent_close:
            return end
        self._count += 1
        return taken_over_silently(settings, self._count) if self._count >= TIMES else end
