"""The line under a problem."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.excerpt import excerpt
from gateway.config.problems import Problem


def shown(text: str, line: int, column: int) -> list[str]:
    return excerpt(Problem("a.yaml", line, column, "x"), {"a.yaml": text.encode()})


def test_caret_stands_under_the_place() -> None:
    """Counted in characters, tabs as one."""
    assert shown("a: 1\nb: é 2\n", 2, 6) == ["     2 | b: é 2", "       |      ^"]
    assert shown("\tb: 2\n", 1, 2) == ["     1 |  b: 2", "       |  ^"]


def test_end_of_a_line_can_be_meant() -> None:
    """Where something is missing."""
    assert shown("a: [1\n", 1, 6) == ["     1 | a: [1", "       |      ^"]


@pytest.mark.parametrize("column", [1, 60, 130, 199, 200])
def test_long_line_is_cut_around_the_place(column: int) -> None:
    """At most 80 columns, and the caret under the same character."""
    text = "".join(chr(ord("a") + place % 26) for place in range(200))
    line, caret = shown(text, 1, column)
    assert len(line) <= 80
    assert len(caret) <= 80
    assert line[caret.index("^")] in {text[column - 1], "."}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("password: hunter2\n", 1),
        ("broker: {passwrod: hunter2}\n", 1),
        ("password:\n  hunter2\n", 2),
        ("password: |\n  x\n  hunter2\n", 3),
        ("password:\n  secret: x\n  other: hunter2\n", 3),
        ("url: mqtt://me:hunter2@broker\n", 1),
    ],
)
def test_line_that_may_hold_a_secret_is_never_shown(text: str, line: int) -> None:
    """Neither its own line nor one that belongs to it."""
    assert shown(text, line, 3) == []


def test_line_beside_a_secret_is_shown() -> None:
    """A group that holds a password is not hidden as a whole."""
    assert shown("broker:\n  password: {secret: x}\n  usrname: me\n", 3, 3) != []


@pytest.mark.parametrize(("file", "line"), [("a.yaml", 0), ("a.yaml", 9), ("b.yaml", 1)])
def test_place_that_is_nowhere_shows_nothing(file: str, line: int) -> None:
    """The file as a whole, a line behind its end, a file that could not be read."""
    assert excerpt(Problem(file, line, 1, "x"), {"a.yaml": b"a: 1\n"}) == []


@given(st.text(max_size=300), st.integers(0, 20), st.integers(0, 400))
def test_no_text_stops_it(text: str, line: int, column: int) -> None:
    """Whatever the file holds; two lines or none."""
    assert len(shown(text, line, max(1, column))) in {0, 2}
