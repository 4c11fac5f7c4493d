"""What the code says of itself: docstrings, annotations, reasons, and words that do not belong here."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
SILENCED = re.compile(r"# (noqa|type: ignore)(?P<rest>.*)")
REASONED = re.compile(r"^(: [A-Z0-9, ]+|\[[a-z-]+(, *[a-z-]+)*\])(?: -|  #) \S.{7,}")
# Written in pieces, so that this file does not hold them itself.
FOREIGN_WORDS = [
    "TO" + "DO",
    "FIX" + "ME",
    "XX" + "X",
    "NotImpl" + "ementedError",
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js",
]
TEXT_ENDINGS = (".py", ".md", ".toml", ".yaml", ".yml", ".json", ".lock", ".csv", ".c", ".js", ".mjs", ".svg")


def test_everything_public_has_a_docstring(sources: list[Any]) -> None:
    """A reader never has to open a body to learn what a public thing is for."""
    assert [f"{s.path}: {name}" for s in sources if s.shipped for name in undocumented(s.tree)] == []


def test_everything_says_what_it_returns(sources: list[Any]) -> None:
    """Every function, private and test ones included, names the type of its result."""
    assert [f"{s.path}: {name}" for s in sources for name in unannotated(s.tree)] == []


def test_every_test_says_what_it_proves(sources: list[Any]) -> None:
    """The name of a test states the property, its docstring in a sentence what is proved by it."""
    silent = [
        f"{source.path}: {node.name}"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_silenced_check_gives_its_reason(sources: list[Any]) -> None:
    """Who switches a check off for a line says why on that line."""
    assert [f"{source.path}: {line}" for source in sources for line in unreasoned(source.text)] == []


def test_no_foreign_word_is_left_in_the_project(files: list[str], root: Path) -> None:
    """No notes to oneself, no half-built functions, no name of a server that a package once came from."""
    scripts = [
        path for path in files if path.endswith(TEXT_ENDINGS) or path.startswith((".ci/", "Makefile", "systemd/"))
    ]
    found = [
        f"{path}: {word}"
        for path in scripts
        if (root / path).is_file()
        for word in FOREIGN_WORDS
        if word in (root / path).read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""Doc."""\ndef f():\n    """Doc."""\n', []),
        ('"""Doc."""\ndef f():\n    pass\n', ["f"]),
        ('"""Doc."""\nclass C:\n    """Doc."""\n    def m(self): ...\n', ["m"]),
        ('"""Doc."""\nclass _C:\n    def m(self): ...\n', []),
        ('"""Doc."""\nclass C:\n    """Doc."""\n    def _m(self): ...\n    def __len__(self): ...\n', []),
        ("x = 1\n", ["the module"]),
    ],
)
def test_what_lacks_a_docstring_is_found(text: str, found: list[str]) -> None:
    """Modules, classes, methods and functions count; what is private or magic does not."""
    assert undocumented(ast.parse(text)) == found


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("noqa: BLE001 - a driver may raise anything", 0),
        ("noqa: BLE001, S110 - nothing more can be done here", 0),
        ("type: ignore[arg-type] - the models hold each field's type", 0),
        ("type: ignore[assignment]  # narrowed to the driver's own model", 0),
        ("noqa: BLE001", 1),
        ("noqa: BLE001 -", 1),
        ("noqa", 1),
        ("type: ignore", 1),
        ("type: ignore[arg-type]", 1),
    ],
)
def test_a_silenced_check_without_reason_is_found(comment: str, found: int) -> None:
    """The rule's code and a reason behind a hyphen are both needed."""
    assert len(unreasoned("x = 1  # " + comment + "\n")) == found


def undocumented(tree: ast.Module) -> list[str]:
    """Public modules, classes and functions without a docstring; overloads are told of by what they overload."""
    missing = [] if ast.get_docstring(tree) else ["the module"]
    return missing + [node.name for node in _public(tree) if not ast.get_docstring(node) and not _is_overload(node)]


def unannotated(tree: ast.Module) -> list[str]:
    """Functions whose result has no type."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node.name for node in functions if node.returns is None]


def unreasoned(text: str) -> list[str]:
    """Lines that silence a check and give no reason."""
    return [
        line.strip()
        for line in text.splitlines()
        if (match := SILENCED.search(line)) and '"' not in match["rest"] and not REASONED.match(match["rest"])
    ]


def _public(node: ast.Module | ast.ClassDef) -> Iterator[Named]:
    for child in node.body:
        if isinstance(child, Named) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from _public(child)


def _is_overload(node: Named) -> bool:
    return any("overload" in ast.unparse(decorator) for decorator in node.decorator_list)
