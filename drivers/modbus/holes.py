"""Stretches of addresses that a request must not read along."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.modbus.address import Address

if TYPE_CHECKING:
    from drivers.modbus.address import Table

_STRETCH: Final = re.compile(r"(?P<first>(?P<table>[a-z]+:)?[0-9]+)(?:-(?P<last>[0-9]+))?")
_EXAMPLE: Final = 'write "holding:120-129" or "40121-40130", and "holding:120" for a single one'


class Hole(NamedTuple):
    """Neighbouring addresses on the wire."""

    table: Table
    first: int
    after: int
    """The address after the last."""

    @classmethod
    def parse(cls, text: str) -> Hole:
        """Read a stretch, as it stands on the wire or by documented numbers, however the device's tags are counted.

        Raises:
            ValueError: no stretch, or one that ends before it begins; the text says what to write instead.
        """
        told = _STRETCH.fullmatch(text)
        if told is None:
            raise ValueError(f"{text!r} is no stretch of addresses: {_EXAMPLE}")
        first = Address.parse(told["first"])
        last = first
        if told["last"] is not None:
            last = Address.parse(f"{told['table'] or ''}{told['last']}")
        if first.table is not last.table or last.number < first.number:
            raise ValueError(f"{text!r} ends before it begins: {_EXAMPLE}")
        return cls(first.table, first.number, last.number + 1)
