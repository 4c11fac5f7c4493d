"""The line that a problem is about, with a caret under the place; never a line that may hold a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.config.secrets import names_a_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.config.problems import Problem

_WIDTH: Final = 80
_KEYS: Final = re.compile(r"[\w.-]+(?=[\"']?\s*:)")
_LOGIN_IN_URL: Final = re.compile(r"//[^/\s@]*@")
_CUT: Final = "..."


def excerpt(problem: Problem, files: Mapping[str, bytes]) -> list[str]:
    """Two lines of at most 80 columns, or none where there is nothing to show.

    Args:
        problem: what is wrong.
        files: the content of the files by their name, as the problem has it.
    """
    lines = files.get(problem.file, b"").decode("utf-8-sig", "replace").splitlines()
    if not 0 < problem.line <= len(lines) or _may_hold_a_secret(lines, problem.line):
        return []
    margin = f"{problem.line:>6} | "
    text, column = _window(lines[problem.line - 1], problem.column, _WIDTH - len(margin))
    if not text.strip():
        return []
    return [f"{margin}{text}", f"{' ' * (len(margin) - 2)}| {' ' * (column - 1)}^"]


def _may_hold_a_secret(lines: Sequence[str], number: int) -> bool:
    """Whether the line, or one above it that it may belong to, names a secret or logs in by a URL."""
    if _LOGIN_IN_URL.search(lines[number - 1]):
        return True
    depth = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    for line in reversed(lines[:number]):
        indent = len(line) - len(line.lstrip())
        own = line is lines[number - 1]
        if line.strip() and (own or indent < depth or not _KEYS.search(line)):
            if any(names_a_secret(key) for key in _KEYS.findall(line)):
                return True
            depth = min(depth, indent)
    return False


def _window(line: str, column: int, width: int) -> tuple[str, int]:
    """The part of a line around a column, and the column in it; tabs are shown as one space."""
    text = line.replace("\t", " ").rstrip()
    if len(text) <= width:
        return text, min(column, len(text) + 1)
    first = max(0, min(column - 1 - width // 2, len(text) - width))
    part = text[first : first + width]
    if first:
        part = _CUT + part[len(_CUT) :]
    if first + width < len(text):
        part = part[: -len(_CUT)] + _CUT
    return part, column - first
