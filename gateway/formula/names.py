"""Names in a formula that nobody gave."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from gateway.formula.error import FormulaError
from gateway.formula.functions import NAMES

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Sequence


def name_unknown(node: ast.Name, inputs: Sequence[str]) -> FormulaError:
    """The error for a name that is not known, or not as what it is used for."""
    if node.id in inputs:
        return FormulaError(f"{node.id!r} is an input and no function", node.col_offset)
    if node.id in NAMES:
        return FormulaError(f"the function {node.id!r} needs its argument in brackets", node.col_offset)
    near = get_close_matches(node.id, [*inputs, *NAMES], n=1)
    hint = f"did you mean {near[0]!r}?" if near else _listed(inputs)
    return FormulaError(f"{node.id!r} is neither an input nor a function", node.col_offset, hint)


def _listed(inputs: Iterable[str]) -> str:
    return f"inputs: {', '.join(inputs) or 'none'}; functions: {', '.join(NAMES)}"
