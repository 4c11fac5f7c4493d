"""What the house rules look at: the project's files, read once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file of the project."""

    path: str
    text: str
    tree: ast.Module

    @property
    def shipped(self) -> bool:
        """Whether it is part of the product, and not a test."""
        return self.path.startswith(("gateway/", "drivers/"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[str]:
    """Every file that belongs to the project, relative to its root: what .gitignore names is left out."""
    ignored = [".git", *(ROOT / ".gitignore").read_text(encoding="utf-8").split()]
    return sorted(_files(ROOT, [pattern.rstrip("/") for pattern in ignored]))


@pytest.fixture(scope="session")
def sources(files: list[str]) -> list[Source]:
    """Every Python file of the project."""
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in files if path.endswith(".py")}
    return [Source(path, text, ast.parse(text, path)) for path, text in texts.items()]


def _files(folder: Path, ignored: list[str]) -> list[str]:
    """Patterns with a slash in front hold at the root alone, as in .gitignore."""
    found: list[str] = []
    for entry in folder.iterdir():
        path = entry.relative_to(ROOT).as_posix()
        if any(fnmatch(f"/{path}", pattern) or fnmatch(entry.name, pattern) for pattern in ignored):
            continue
        found += _files(entry, ignored) if entry.is_dir() else [path]
    return found
