"""A user's own topics and payloads: Jinja templates that can write text, and nothing else.

The language is cut down before anything runs, so that no template can hold up the gateway or eat its memory: no
assignments, no calls, no macros, no nested loops, no multiplication of texts, a closed list of filters. What is left
takes time and memory in proportion to the template and to the batch. The sandbox of Jinja stands behind that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jinja2
from jinja2 import nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment
from msgspec.json import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_COMMON: Final = ("gateway", "path", "device", "run", "seq", "plan", "time", "time_ms", "time_ns", "clock", "history")
TEMPLATE_NAMES: Final = {
    "batch": (*_COMMON, "part", "values", "quality", "units"),
    "tag": (*_COMMON, "tag", "value", "quality", "unit", "description"),
}
"""What a template may name, by `each`."""

MOST_CHARACTERS: Final = 131_072
"""Most that a template may write for one message; brokers take far less."""

_MOST_DIGITS: Final = 15
_MOST_NESTING: Final = 40

_NODES: Final = frozenset(
    {
        *("Template", "Output", "TemplateData", "Const", "Name", "If", "For", "CondExpr"),
        *("Filter", "Test", "Compare", "Operand", "And", "Or", "Not", "Neg", "Pos"),
        *("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Concat"),
        *("Getattr", "Getitem", "Tuple", "List", "Dict", "Pair", "Keyword"),
    }
)
_WORDS: Final = {
    "Call": "a call such as name() is not possible; use a filter: value | round(2)",
    "Assign": "set is not possible in a template",
    "AssignBlock": "set is not possible in a template",
    "Macro": "a macro is not possible in a template",
    "Include": "include is not possible in a template",
    "Import": "import is not possible in a template",
    "FromImport": "import is not possible in a template",
    "Extends": "extends is not possible in a template",
    "Block": "a block is not possible in a template",
    "Pow": "** is not possible in a template",
}
_FILTERS: Final = frozenset(
    {"abs", "default", "d", "dictsort", "first", "float", "int", "items", "last", "length", "list", "lower"}
    | {"sort", "string", "trim", "upper"}
)
_TESTS: Final = frozenset(
    {"defined", "undefined", "none", "number", "integer", "float", "string", "boolean", "true", "false", "in"}
    | {"eq", "ne", "lt", "le", "gt", "ge", "even", "odd"}
)
_OF_LOOPS: Final = frozenset({"index", "index0", "first", "last", "length"})


class TemplateError(Exception):
    """A template cannot be used, or failed. The text says why."""

    def __init__(self, text: str, line: int = 1) -> None:
        super().__init__(text)
        self.line = line
        """Line in the template, counted from 1."""


class Template:
    """One template, checked and compiled.

    Args:
        source: the text.
        names: the variables that it will be given.

    Raises:
        TemplateError: it cannot be used.
    """

    def __init__(self, source: str, names: Iterable[str]) -> None:
        environment = _Environment()
        try:
            tree = environment.parse(source)
            _check(tree, frozenset(names))
            self._template = environment.from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(error.message or "this is no template", error.lineno) from None
        except (RecursionError, SyntaxError, MemoryError):
            raise TemplateError("too much is nested in here") from None

    def render(self, variables: Mapping[str, object]) -> str:
        """The text that the template makes of these variables.

        Raises:
            TemplateError: it fails for these values, or writes too much.
        """
        pieces: list[str] = []
        room = MOST_CHARACTERS
        try:
            for piece in self._template.generate(variables):
                room -= len(piece)
                if room < 0:
                    raise TemplateError(f"it writes more than {MOST_CHARACTERS} characters")
                pieces.append(piece)
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(str(error) or type(error).__name__) from error
        return "".join(pieces)


class _Environment(SandboxedEnvironment):
    """Attributes are keys: nothing of Python shines through."""

    intercepted_binops = frozenset({"*", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.filters |= {"tojson": _tojson, "round": _rounded, "fixed": _fixed, "join": _joined, "replace": _replaced}
        self.tests = {name: self.tests[name] for name in _TESTS}
        self.globals.clear()

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The value of a key, or what a loop knows of itself."""
        if isinstance(obj, LoopContext) and attribute in _OF_LOOPS:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The value of a key, or of a place in a list."""
        if isinstance(obj, jinja2.Undefined):
            return obj
        try:
            if isinstance(obj, dict | list | tuple | str):
                return obj[argument]
        except (LookupError, TypeError):
            pass
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """`*` and `%` for numbers only: with texts they could make one of any length."""
        if not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise TypeError(f"{operator} is for numbers")
        return super().call_binop(context, operator, left, right)


def _check(tree: nodes.Template, names: frozenset[str]) -> None:
    known = names | {"loop"} | {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    for node, depth, inside_loop in _walk(tree):
        kind = type(node).__name__
        if kind not in _NODES:
            raise TemplateError(_WORDS.get(kind, f"{kind.lower()} is not possible in a template"), node.lineno)
        if depth > _MOST_NESTING:
            raise TemplateError("too much is nested in here", node.lineno)
        if inside_loop and isinstance(node, nodes.For):
            raise TemplateError("a loop cannot stand in another one", node.lineno)
        if isinstance(node, nodes.For) and node.recursive:
            raise TemplateError("a loop cannot be recursive", node.lineno)
        if isinstance(node, nodes.Name) and node.name not in known:
            raise TemplateError(f"nothing is called {node.name!r}; known: {', '.join(sorted(names))}", node.lineno)


def _walk(node: nodes.Node, depth: int = 0, *, inside_loop: bool = False) -> Iterator[tuple[nodes.Node, int, bool]]:
    yield node, depth, inside_loop
    inside = inside_loop or isinstance(node, nodes.For)
    for child in node.iter_child_nodes():
        yield from _walk(child, depth + 1, inside_loop=inside)


def _tojson(value: object) -> str:
    return encode(value).decode()


def _rounded(value: float, digits: int = 0) -> float:
    return round(value, min(digits, _MOST_DIGITS))


def _fixed(value: float, digits: int = 0) -> str:
    return f"{value:.{min(digits, _MOST_DIGITS)}f}"


def _joined(values: Iterable[object], separator: str = "") -> str:
    texts = [str(value) for value in values]
    if sum(map(len, texts)) + len(texts) * len(separator) > MOST_CHARACTERS:
        raise ValueError(f"join makes more than {MOST_CHARACTERS} characters")
    return separator.join(texts)


def _replaced(text: str, old: str, new: str) -> str:
    if len(text) + text.count(old) * len(new) > MOST_CHARACTERS:
        raise ValueError(f"replace makes more than {MOST_CHARACTERS} characters")
    return text.replace(old, new)
