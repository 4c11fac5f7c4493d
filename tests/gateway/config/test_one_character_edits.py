"""One wrong keystroke anywhere in a good file: never a traceback, and named where it was made."""

from __future__ import annotations

import random
import re
import shutil
import string
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from gateway.config.files import example_folder
from gateway.config.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config.problems import Problem

EDITS = 300
SEED = 20_261_124
KEYS = string.ascii_letters + string.digits + " \n\t:,{}[]\"'#&*!|>%@`-_.~?/\\é°\u00a0"
DRIVERS = Path(__file__).parents[3] / "drivers"


MISSED = re.compile(r"there is no (tag|device) '|has no tag '")


class Edit(NamedTuple):
    """A file with one character inserted, deleted or replaced."""

    path: Path
    text: str
    first: int
    last: int
    """First and last line that the edit touched; a line end belongs to the line before and the line after."""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shipped configuration, with a simulated connection."""
    folder = tmp_path_factory.mktemp("example") / "edge-gateway"
    shutil.copytree(example_folder(), folder)
    simulated = (DRIVERS / "sim" / "example.yaml").read_text().replace("press-12", "press-99")
    (folder / "connections" / "simulated.yaml").write_text(simulated)
    return folder


def edits_of(folder: Path) -> Iterator[Edit]:
    keystrokes = random.Random(SEED)  # noqa: S311 - a repeatable choice, no secret
    files = [folder / "gateway.yaml", *sorted((folder / "connections").iterdir())]
    for _ in range(EDITS):
        path = keystrokes.choice(files)
        text = path.read_text()
        position = keystrokes.randrange(len(text))
        kind, key = keystrokes.choice("idr"), keystrokes.choice(KEYS)
        inserted = "" if kind == "d" else key
        edited = text[:position] + inserted + text[position + (kind != "i") :]
        line = text.count("\n", 0, position) + 1
        yield Edit(path, edited, line, line + inserted.count("\n"))


def test_every_edit_is_valid_or_named_at_its_place(example: Path) -> None:
    """The right file, and a line at most one off from the edit."""
    assert load(example).problems == ()
    valid, missed = 0, []
    for path, text, first, last in edits_of(example):
        original = path.read_text()
        path.write_text(text)
        problems = load(example).problems
        path.write_text(original)
        valid += not problems
        named = [problem.line for problem in problems if problem.file == str(path.relative_to(example))]
        if problems and not any(first - 1 <= line <= last + 1 for line in named) and not _is_missed_elsewhere(problems):
            missed.append((path.name, first, [problem.sentence for problem in problems]))
    assert missed == []
    assert EDITS // 10 < valid < EDITS * 9 // 10, "the edits are neither all harmless nor all harmful"


def _is_missed_elsewhere(problems: tuple[Problem, ...]) -> bool:
    """Whether the edit gave a device or tag another name, good as it is, and derived.yaml still uses the old one."""
    return all(problem.file == "derived.yaml" and MISSED.search(problem.text) for problem in problems)
