"""From the tree of a formula to the functions that work it out. What is not on the lists of this module is refused."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway.formula.calls import fixed_number, plain_call, remembering_call
from gateway.formula.error import FormulaError
from gateway.formula.functions import MOST_EXPONENT, PLAIN, REMEMBERING, power
from gateway.formula.names import name_unknown
from gateway.formula.refusals import node_refused, operator_refused

if TYPE_CHECKING:
    from gateway.formula.memory import Memory

Frame = list[Any]
"""What a formula is worked out over: the inputs in their order, then one cell for each call that remembers."""

Work = Callable[[Frame], Any]

MOST_NODES: Final = 200
"""Names, numbers, operators and calls of one formula: some microseconds of work."""

MOST_LEVELS: Final = 30
"""Parts of a formula that stand inside each other."""

_BEYOND: Final = 2**63
"""From here on a whole number is no measured value."""

_OPERATORS: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}

_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One call that remembers. Its value stands in the frame before the rest of the formula is worked out."""

    function: str
    make: Callable[[], Memory]
    argument: Work


@dataclass
class Reader:
    """Reads one tree; afterwards the other fields say what the formula needs."""

    inputs: Sequence[str]
    """Their order is that of the first cells of a frame."""
    slots: list[Slot] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    """Inputs that must be numbers, and a column that says so."""
    texts: dict[str, int] = field(default_factory=dict)
    """Inputs that are compared with a text, and where."""
    nodes: int = 0

    def __post_init__(self) -> None:
        self._kinds: dict[type[ast.expr], Callable[[Any, int], Work]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._logic,
            ast.IfExp: self._choice,
            ast.Compare: self._comparison,
            ast.Call: self._call,
        }

    def read(self, node: ast.expr, level: int = 1) -> Work:
        """What works out one node.

        Raises:
            FormulaError: the node, or one in it, is not allowed.
        """
        self.nodes += 1
        if level > MOST_LEVELS or self.nodes > MOST_NODES:
            text = "the formula is too large from here on"
            raise FormulaError(text, node.col_offset, "make a tag of a part of it, and use that")
        kind = self._kinds.get(type(node))
        if kind is None:
            raise node_refused(node)
        return kind(node, level + 1)

    def _constant(self, node: ast.Constant, _level: int) -> Work:
        value = node.value
        if isinstance(value, str):
            hint = "it can be compared with an input, by == or !="
            raise FormulaError("a text cannot stand here", node.col_offset, hint)
        if not isinstance(value, int | float):
            raise node_refused(node)
        if not -_BEYOND < value < _BEYOND and (isinstance(value, int) or value == float("inf")):
            raise FormulaError("this number is too large", node.col_offset)
        return lambda _frame: value

    def _name(self, node: ast.Name, _level: int) -> Work:
        self.numbers.setdefault(node.id, node.col_offset)
        return self._input(node)

    def _input(self, node: ast.Name) -> Work:
        if node.id not in self.inputs:
            raise name_unknown(node, self.inputs)
        return operator.itemgetter(self.inputs.index(node.id))

    def _binary(self, node: ast.BinOp, level: int) -> Work:
        if isinstance(node.op, ast.Pow):
            return self._power(node, level)
        work = _OPERATORS.get(type(node.op))
        if work is None:
            raise operator_refused(node.op, node.right)
        left, right = self.read(node.left, level), self.read(node.right, level)
        return lambda frame: work(left(frame), right(frame))

    def _power(self, node: ast.BinOp, level: int) -> Work:
        exponent = fixed_number(node.right)
        if exponent is None or abs(exponent) > MOST_EXPONENT:
            text = f"the exponent must be a number from -{MOST_EXPONENT} to {MOST_EXPONENT}"
            raise FormulaError(text, node.right.col_offset)
        base = self.read(node.left, level)
        return lambda frame: power(base(frame), exponent)

    def _unary(self, node: ast.UnaryOp, level: int) -> Work:
        if isinstance(node.op, ast.Invert):
            raise operator_refused(node.op, node)
        operand = self.read(node.operand, level)
        if isinstance(node.op, ast.Not):
            return lambda frame: not operand(frame)
        sign = operator.neg if isinstance(node.op, ast.USub) else operator.pos
        return lambda frame: sign(operand(frame))

    def _logic(self, node: ast.BoolOp, level: int) -> Work:
        operands = [self.read(operand, level) for operand in node.values]
        if isinstance(node.op, ast.And):
            return lambda frame: all(operand(frame) for operand in operands)
        return lambda frame: any(operand(frame) for operand in operands)

    def _choice(self, node: ast.IfExp, level: int) -> Work:
        condition = self.read(node.test, level)
        then, otherwise = self.read(node.body, level), self.read(node.orelse, level)
        return lambda frame: then(frame) if condition(frame) else otherwise(frame)

    def _comparison(self, node: ast.Compare, level: int) -> Work:
        for sign, right in zip(node.ops, node.comparators, strict=True):
            if type(sign) not in _COMPARISONS:
                raise operator_refused(sign, right)
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            with_text = self._text_comparison(node.ops[0], node.left, node.comparators[0])
            if with_text is not None:
                return with_text
        works = [self.read(operand, level) for operand in (node.left, *node.comparators)]
        steps = [(_COMPARISONS[type(sign)], works[n], works[n + 1]) for n, sign in enumerate(node.ops)]
        if len(steps) == 1:
            compare, left, right_work = steps[0]
            return lambda frame: compare(left(frame), right_work(frame))
        return lambda frame: all(compare(left(frame), right(frame)) for compare, left, right in steps)

    def _text_comparison(self, sign: ast.cmpop, left: ast.expr, right: ast.expr) -> Work | None:
        for one, other in ((left, right), (right, left)):
            if isinstance(one, ast.Name) and isinstance(other, ast.Constant) and isinstance(other.value, str):
                self.nodes += 2
                self.texts.setdefault(one.id, one.col_offset)
                value, text, compare = self._input(one), other.value, _COMPARISONS[type(sign)]
                return lambda frame: compare(value(frame), text)
        return None

    def _call(self, node: ast.Call, level: int) -> Work:
        if not isinstance(node.func, ast.Name):
            raise node_refused(node.func)
        if node.func.id in PLAIN:
            function, arguments = plain_call(node, PLAIN[node.func.id])
            works = [self.read(argument, level) for argument in arguments]
            return lambda frame: function(*[work(frame) for work in works])
        if node.func.id in REMEMBERING:
            make, argument = remembering_call(node, REMEMBERING[node.func.id])
            self.slots.append(Slot(node.func.id, make, self.read(argument, level)))
            return operator.itemgetter(len(self.inputs) + len(self.slots) - 1)
        raise name_unknown(node.func, self.inputs)
