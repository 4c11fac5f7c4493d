"""Where things lie, what they are called, how long they are."""

from __future__ import annotations

import ast
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ROOMS = {"gateway", "drivers", "config", "systemd", "hwtests", "tests", ".ci"}
ROOT_FILES = {
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "pyproject.toml",
    "requirements.lock",
}
EMPTY_WORDS = re.compile(r"(?i)(^|[^a-z])(utils?|helpers?|misc|common|base)([^a-z]|$)")
EMPTY_CLASSES = re.compile(r"(Manager|Service|Handler|Helper|Util|Utils)$")
FILE_LINES = 400
FUNCTION_LINES = 50


def test_top_level_holds_only_rooms_and_what_tools_look_for(files: list[str]) -> None:
    """A newcomer sees the whole house at a glance; a new folder at the top needs a better reason than convenience."""
    assert {PurePath(path).parts[0] for path in files} == ROOMS | ROOT_FILES


def test_each_room_has_its_manual(files: list[str]) -> None:
    """A folder's README is the first thing that people and tools show of it."""
    rooms = {room for room in ROOMS if not room.startswith(".")}
    assert {f"{room}/README.md" for room in rooms} <= set(files)


def test_each_driver_folder_is_complete(files: list[str], root: Path) -> None:
    """Every driver has the same parts in the same places: specification, manual, example, tests."""
    drivers = [folder.name for folder in (root / "drivers").iterdir() if (folder / "spec.py").exists()]
    parts = [f"drivers/{name}/{part}" for name in drivers for part in ("spec.py", "README.md", "example.yaml")]
    assert drivers
    assert [part for part in parts if part not in files] == []
    assert [name for name in drivers if not (root / "tests" / "drivers" / name).is_dir()] == []


def test_configuration_folder_holds_no_code(files: list[str]) -> None:
    """What a technician copies to /etc is text for people; nothing in it can run but the examples of consumers."""
    code = [path for path in files if path.startswith("config/") and path.endswith(".py")]
    assert [path for path in code if not path.startswith("config/consumers/")] == []


def test_no_file_has_a_name_that_says_nothing(files: list[str]) -> None:
    """`utils` tells no reader what is inside, so everything ends up there."""
    assert [path for path in files if path.endswith(".py") and EMPTY_WORDS.search(PurePath(path).stem)] == []


def test_no_class_has_a_name_that_says_nothing(sources: list[Any]) -> None:
    """A `Manager` manages; a good name says what it is in the words of the field."""
    classes = [
        f"{source.path}: {node.name}"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and EMPTY_CLASSES.search(node.name)
    ]
    assert classes == []


def test_no_file_of_the_product_is_longer_than_its_limit(sources: list[Any]) -> None:
    """A file stays readable in one sitting."""
    assert [s.path for s in sources if s.shipped and s.text.count("\n") > FILE_LINES] == []


def test_no_function_of_the_product_is_longer_than_its_limit(sources: list[Any]) -> None:
    """A function, its docstring included, fits on one screen."""
    assert [f"{s.path}: {name}" for s in sources if s.shipped for name in long_functions(s.tree)] == []


@pytest.mark.parametrize(("lines", "found"), [(FUNCTION_LINES, []), (FUNCTION_LINES + 1, ["long"])])
def test_a_function_is_found_from_one_line_over_the_limit(lines: int, found: list[str]) -> None:
    """The measure counts from `def` to the last line."""
    text = "def long():\n" + "    pass\n" * (lines - 1)
    assert long_functions(ast.parse(text)) == found


@pytest.mark.parametrize("name", ["utils", "gpio_helpers", "base", "common_things", "util"])
def test_an_empty_word_in_a_file_name_is_found(name: str) -> None:
    """It is found alone and as part of a longer name."""
    assert EMPTY_WORDS.search(name)


@pytest.mark.parametrize("name", ["database", "baseline", "utility_meter", "commonmark"])
def test_a_word_that_only_looks_empty_is_left_alone(name: str) -> None:
    """Part of a longer word is another word."""
    assert not EMPTY_WORDS.search(name)


def long_functions(tree: ast.Module) -> list[str]:
    """Names of the functions that are longer than the limit."""
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES
    ]
