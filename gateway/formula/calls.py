"""The arguments of a call: how many, in which form, and which of them are fixed."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.formula.error import FormulaError
from gateway.formula.functions import MOST_DECIMALS, MOST_SECONDS, PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.formula.functions import Plain, Remembering
    from gateway.formula.memory import Memory


def plain_call(node: ast.Call, function: Plain) -> tuple[Callable[..., Any], Sequence[ast.expr]]:
    """What is called, and the arguments that vary.

    Raises:
        FormulaError: too few, too many, or an argument in a form that it has not.
    """
    if node.keywords or not function.fewest <= len(node.args) <= function.most:
        raise _wrong_form(node, function.usage)
    if function.call is round and len(node.args) > 1:
        return partial(_rounded, _decimals(node.args[1])), node.args[:1]
    return function.call, node.args


def remembering_call(node: ast.Call, function: Remembering) -> tuple[Callable[[], Memory], ast.expr]:
    """What makes the memory of the call, and the argument that varies.

    Raises:
        FormulaError: too few, too many, or an argument in a form that it has not.
    """
    if not node.args or isinstance(node.args[0], ast.Starred):
        raise _wrong_form(node, function.usage)
    if function.option is None:
        if len(node.args) > 1 or node.keywords:
            raise _wrong_form(node, function.usage)
        return function.memory, node.args[0]
    option = _option(node, function)
    value = _per_s(option) if function.option == "per" else _seconds(option)
    return partial(function.memory, value), node.args[0]


def _option(node: ast.Call, function: Remembering) -> ast.expr:
    by_name = [keyword.value for keyword in node.keywords if keyword.arg == function.option]
    by_place = [] if function.by_name_only else node.args[1:]
    if len(by_name) + len(by_place) != 1 or len(node.keywords) + len(node.args) != 1 + 1:
        raise _wrong_form(node, function.usage)
    return (by_name or by_place)[0]


def _wrong_form(node: ast.Call, usage: str) -> FormulaError:
    return FormulaError(f"this function is written {usage}", node.col_offset)


def _rounded(decimals: int, value: float) -> float:
    return round(value, decimals)


def _decimals(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int and 0 <= node.value <= MOST_DECIMALS:
        return node.value
    raise FormulaError(f"decimals must be a whole number from 0 to {MOST_DECIMALS}", node.col_offset)


def _per_s(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in PER_S:
        return PER_S[node.value]
    units = ", ".join(f'"{unit}"' for unit in PER_S)
    raise FormulaError(f"per must be one of {units}", node.col_offset)


def _seconds(node: ast.expr) -> float:
    seconds = fixed_number(node)
    if seconds is not None and 0 < seconds <= MOST_SECONDS:
        return float(seconds)
    raise FormulaError(f"seconds must be a number above 0 to {MOST_SECONDS}", node.col_offset)


def fixed_number(node: ast.expr) -> float | None:
    """The number that a node is, with its sign; None where it is anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = fixed_number(node.operand)
        return None if number is None else -number
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    return None
