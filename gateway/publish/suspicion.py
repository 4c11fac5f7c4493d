"""Finds the message over which the broker ends one session after the other.

Some brokers do not answer a message that they will not have; they hang up: over a packet too large, over a topic
that is not allowed. Sent again with the next session, such a message would end that one too, for ever. So what was
under way at such an end is suspect, and goes alone from then on, until it arrives or is known to be the culprit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.publish.endings import SessionEnd

Name = tuple[str, str, int] | str
"""What a message is known by over sessions: (device, run, seq) of its entry, or the topic of a retained one."""

STRIKES: Final = 3
"""So many sessions in a row must end over one and the same message, alone under way, before it is refused."""

MAX_SUSPECTS: Final = 64
"""The oldest are acquitted when there are more; they may have left the outbox without a word."""


class Suspicion:
    """Counts what speaks against a message."""

    def __init__(self) -> None:
        self._strikes: dict[Name, int] = {}

    def __bool__(self) -> bool:
        """Whether anything is suspect."""
        return bool(self._strikes)

    def falls_on(self, name: Name) -> bool:
        """Whether a message is suspect, and should go alone."""
        return name in self._strikes

    def settled(self, name: Name) -> None:
        """A message is over: it arrived, or was refused."""
        self._strikes.pop(name, None)

    def unreachable(self) -> None:
        """The broker was not there at all: the ends before it had nothing to do with a message."""
        self._strikes = dict.fromkeys(self._strikes, 0)

    def ended(self, end: SessionEnd, under_way: Collection[Name], *, took_others: bool) -> Name | None:
        """A session ended. Gives the name of the culprit once it is certain.

        Args:
            end: how.
            under_way: what had no answer.
            took_others: whether the broker took any message in this session; a broker that takes none judges none.
        """
        names = set(under_way)
        if not end.blames_message:
            self.unreachable()
            return None
        if len(names) == 1 and took_others:
            return self._strike(names.pop())
        self._suspect(names)
        return None

    def _strike(self, name: Name) -> Name | None:
        strikes = self._strikes.get(name, 0) + 1
        self.unreachable()
        self._suspect({name})
        self._strikes[name] = strikes
        if strikes < STRIKES:
            return None
        del self._strikes[name]
        return name

    def _suspect(self, names: set[Name]) -> None:
        for name in names:
            self._strikes.setdefault(name, 0)
        while len(self._strikes) > MAX_SUSPECTS:
            del self._strikes[next(iter(self._strikes))]
