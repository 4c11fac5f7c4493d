"""What is said of a node that is not allowed in a formula."""

from __future__ import annotations

import ast
from typing import Final

from gateway.formula.error import FormulaError

_NODES: Final[dict[type[ast.AST], tuple[str, str | None]]] = {
    ast.Attribute: ("a '.' behind a name", "give the tag a short name under inputs and write that"),
    ast.Subscript: ("a [", None),
    ast.Lambda: ("a function definition", None),
    ast.ListComp: ("a loop", None),
    ast.SetComp: ("a loop", None),
    ast.DictComp: ("a loop", None),
    ast.GeneratorExp: ("a loop", None),
    ast.List: ("a list", None),
    ast.Set: ("a list", None),
    ast.Dict: ("a list", None),
    ast.Tuple: ("a ',' outside of a function", "a decimal number is written with a point"),
    ast.JoinedStr: ("a formatted text", None),
    ast.NamedExpr: ("an assignment", "to compare, write =="),
    ast.Starred: ("a * before a name", None),
}

_OPERATORS: Final[dict[type[ast.AST], tuple[str, str | None]]] = {
    ast.BitXor: ("^", "a power is written x ** 2"),
    ast.BitAnd: ("&", "write and"),
    ast.BitOr: ("|", "write or"),
    ast.LShift: ("<<", None),
    ast.RShift: (">>", None),
    ast.MatMult: ("@", None),
    ast.Invert: ("~", "write not"),
    ast.Is: ("is", "write =="),
    ast.IsNot: ("is not", "write !="),
    ast.In: ("in", "write x == 1 or x == 2"),
    ast.NotIn: ("not in", "write x != 1 and x != 2"),
}


def node_refused(node: ast.expr) -> FormulaError:
    """The error for a kind of node that no formula holds."""
    what, hint = _NODES.get(type(node), ("this", None))
    return FormulaError(f"{what} cannot stand in a formula", node.col_offset, hint)


def operator_refused(sign: ast.AST, node: ast.expr) -> FormulaError:
    """The error for an operator that is not known; `node` is what it stands in."""
    what, hint = _OPERATORS[type(sign)]
    return FormulaError(f"{what!r} has no meaning in a formula", node.col_offset, hint)
