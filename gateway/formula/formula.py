"""One formula: read once, worked out for every sample."""

from __future__ import annotations

import ast
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Final

from gateway.formula.error import FormulaError
from gateway.formula.memory import Integral
from gateway.formula.reader import Reader
from gateway.formula.text import tree_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.formula.memory import Memory


MOST_READ: Final = 4096
"""Formulas that are kept ready."""


class Formula:
    """A formula over named inputs.

    Args:
        text: as the technician wrote it.
        inputs: the names that may stand in it; values come in this order.

    Raises:
        FormulaError: the text is no formula, or names what is not there.
    """

    def __init__(self, text: str, inputs: Sequence[str]) -> None:
        reader = Reader(inputs)
        tree = tree_of(text)
        self._work = reader.read(tree)
        self._slots = tuple(reader.slots)
        self._blank: list[float | None] = [None] * len(self._slots)
        self.is_truth = _is_truth(tree)
        """Whether the result is true or false rather than a number."""
        self.texts = frozenset(reader.texts)
        """Inputs that are compared with a text; all others must be numbers."""
        self.used = frozenset({*reader.numbers, *reader.texts})
        """Inputs that stand in it."""
        both = sorted(set(reader.numbers) & self.texts)
        if both:
            raise FormulaError(f"{both[0]!r} is used as a text and as a number", reader.numbers[both[0]])

    @property
    def integrates(self) -> bool:
        """Whether there is an integral in it."""
        return any(slot.function == "integral" for slot in self._slots)

    def memory(self) -> list[Memory]:
        """A memory with nothing in it, for one use of the formula."""
        return [slot.make() for slot in self._slots]

    def work_out(self, values: Sequence[object], memory: list[Memory], now_ns: int) -> float | bool:
        """The result at an instant of the monotonic clock.

        Args:
            values: one for each input, in their order; those in `texts` of any type, the others numbers.
            memory: what `memory` gave, carried on from one time to the next.
            now_ns: the monotonic clock.

        Raises:
            ArithmeticError: division by zero, or a number too large for a float.
            ValueError: a root of a negative number.
        """
        if not memory:
            return _finite(self._work(list(values)))
        frame = [*values, *self._blank]
        self._step(frame, len(values), memory, now_ns)
        return _finite(self._work(frame))

    def _step(self, frame: list[object], first: int, memory: list[Memory], now_ns: int) -> None:
        """Work out the calls that remember, inner ones first. One that fails has those behind it not stepped."""
        done = 0
        try:
            for slot in self._slots:
                frame[first + done] = memory[done].step(_finite(slot.argument(frame)), now_ns)
                done += 1
        except (ArithmeticError, ValueError):
            interrupt(memory[done:])
            raise


@lru_cache(maxsize=MOST_READ)
def formula_of(text: str, inputs: tuple[str, ...]) -> Formula:
    """The formula of a text, read once however often it is asked for: a reload finds ready what the check has read.

    Raises:
        FormulaError: the text is no formula, or names what is not there.
    """
    return Formula(text, inputs)


def interrupt(memory: Sequence[Memory]) -> None:
    """An input is not known from now on."""
    for one in memory:
        one.interrupt()


def is_unsure(memory: Sequence[Memory]) -> bool:
    """Whether the newest result rests on less than it says, since the memory is too young."""
    return any(one.unsure for one in memory)


def totals(memory: Sequence[Memory]) -> list[float]:
    """The integrals in a memory, in their order: what may outlive the process."""
    return [one.total for one in memory if isinstance(one, Integral)]


def set_totals(memory: Sequence[Memory], values: Sequence[float]) -> None:
    """Have the integrals go on from these totals."""
    integrals = [one for one in memory if isinstance(one, Integral)]
    for integral, total in zip(integrals, values, strict=True):
        integral.total = total


def _finite(value: float) -> float | bool:
    if not isfinite(value):
        raise OverflowError("the result is too large")
    return value


def _is_truth(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_truth(node.body) and _is_truth(node.orelse)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bool)
    return isinstance(node, ast.Compare | ast.BoolOp) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )
