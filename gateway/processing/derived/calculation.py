"""One derived tag at work: its inputs, its formula, what it remembers, and the quality of what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.formula.formula import formula_of, interrupt, is_unsure, set_totals, totals
from gateway.model import Level, Quality

if TYPE_CHECKING:
    from gateway.model import Value
    from gateway.processing.counters import Store
    from gateway.processing.derived.table import LatestValues
    from gateway.processing.derived.virtual import VirtualFormula

_BEYOND: Final = 2**63
"""An int64 is smaller (and not below its negative)."""


class Calculation:
    """Works one formula out, as often as it is asked to.

    Division by zero, a root of a negative number, a result beyond a float, an input that was never heard of: BAD, not
    available, since the next sample may bring an answer. A text where the formula needs a number: BAD, config, since
    no later sample will.

    Args:
        device: the virtual device.
        tag: the tag, and what was written of it.
        table: where its inputs stand.
    """

    def __init__(self, device: str, tag: VirtualFormula, table: LatestValues) -> None:
        config = tag.config
        self.device = device
        self.tag = tag
        self._key = f"derived/{device}/{tag.name}"
        self._type = config.data_type()
        self._formula = formula_of(config.value, tuple(config.inputs))
        self._memory = self._formula.memory()
        self.places = tuple(table.index[source] for source in config.inputs.values())
        """Where its inputs stand in the table."""
        numbers = [name not in self._formula.texts for name in config.inputs]
        self._numbers = tuple(place for place, number in zip(self.places, numbers, strict=True) if number)
        self._table = table

    @property
    def made_of(self) -> str:
        """The formula and its inputs: what it remembers is of use to no other one."""
        return f"{self.tag.config.value} {sorted(self.tag.config.inputs.items())}"

    def take_over(self, before: Calculation) -> None:
        """Go on with what an earlier calculation of the same tag remembers."""
        self._memory = before._memory

    def work_out(self, now_ns: int) -> tuple[Value | None, Quality]:
        """The value with the worst quality of its inputs; None where it is BAD."""
        quality = self._worst()
        if quality.level is Level.BAD:
            interrupt(self._memory)
            return None, quality
        values = self._table.values
        try:
            result = self._formula.work_out([values[place] for place in self.places], self._memory, now_ns)
            return self._typed(result), quality if quality is not Quality.GOOD else self._own_quality()
        except (ArithmeticError, ValueError):
            return None, Quality.NOT_AVAILABLE

    def _own_quality(self) -> Quality:
        """What the memory of the formula lets one say of its result."""
        return Quality.RESTART if is_unsure(self._memory) else Quality.GOOD

    def restore(self, store: Store) -> None:
        """Have the integrals go on from where the store knows them, if they are of this very formula."""
        known = store.get(self._key) if self.tag.config.persist else None
        if isinstance(known, dict) and known.get("made_of") == self.made_of:
            sums = known.get("totals")
            numbers = [float(one) for one in sums if isinstance(one, int | float)] if isinstance(sums, list) else []
            if len(numbers) == len(totals(self._memory)):
                set_totals(self._memory, numbers)

    def save(self, store: Store) -> None:
        """Put the integrals into the store, where that was asked for."""
        if self.tag.config.persist:
            store.put(self._key, {"made_of": self.made_of, "totals": list(totals(self._memory))})

    def _worst(self) -> Quality:
        qualities = self._table.quality
        worst = Quality.GOOD
        for place in self.places:
            quality = qualities[place]
            if quality is not Quality.GOOD:
                if quality.level is Level.BAD:
                    return quality
                worst = quality if worst is Quality.GOOD else worst
        values = self._table.values
        for place in self._numbers:
            if isinstance(values[place], str):
                return Quality.CONFIG
        return worst

    def _typed(self, result: float | bool) -> Value:  # noqa: FBT001 - a value, not a switch
        if self._type == "float64":
            return float(result)
        if self._type == "bool":
            return bool(result)
        whole = round(result)
        if not -_BEYOND <= whole < _BEYOND:
            raise OverflowError("the result is no 64-bit number")
        return whole
