"""One mistake, one problem: what is told of a file is not told again in other words."""

from __future__ import annotations

import pytest

from gateway.config.document import Document, Place
from gateway.config.syntax import Sentence
from gateway.config.told import Told
from gateway.config.yaml_positions import compose

STOP = Sentence(Place(5, 9), "stop")


@pytest.fixture
def document() -> Document:
    """A document about which nothing is told yet."""
    return Document("f", None)


@pytest.fixture
def told(document: Document) -> Told:
    """The collector of its problems."""
    return Told(document)


def texts(document: Document) -> list[str]:
    return [problem.text for problem in document.problems]


def test_what_is_told_becomes_a_problem_of_the_file(told: Told, document: Document) -> None:
    """With its place and its hint."""
    told.tell(Sentence(Place(2, 3), "wrong", "write right"))
    assert [problem.sentence for problem in document.problems] == ["f:2:3: wrong (write right)"]


def test_nothing_is_told_inside_a_secret(told: Told, document: Document) -> None:
    """Neither a value, nor a key, nor a text may be repeated."""
    told.hidden = True
    told.tell(STOP)
    told.tell_empty(STOP)
    told.tell_long(STOP, Place(9, 1))
    told.note_strange(STOP)
    assert document.problems == []
    told.hidden = False
    told.tell_stop(Sentence(Place(9, 1), "end"))
    assert texts(document) == ["end"]


def test_syntax_error_in_a_secret_is_told(told: Told, document: Document) -> None:
    """Its sentence repeats nothing of the file, and there must be one."""
    told.hidden = True
    told.tell_stop(STOP)
    assert texts(document) == ["stop"]


@pytest.mark.parametrize("line", [5, 2])
def test_empty_key_just_before_a_syntax_error_is_the_same_mistake(told: Told, document: Document, line: int) -> None:
    """The one in the same line, and the last thing told: the syntax error says it better."""
    told.tell_empty(Sentence(Place(line, 1), "empty"))
    told.tell_stop(STOP)
    assert texts(document) == ["stop"]


def test_empty_key_long_before_a_syntax_error_is_another_mistake(told: Told, document: Document) -> None:
    """What was told in between shows that reading went on."""
    told.tell_empty(Sentence(Place(1, 1), "empty"))
    told.tell(Sentence(Place(2, 1), "other"))
    told.tell_stop(STOP)
    assert texts(document) == ["empty", "other", "stop"]


def test_empty_key_with_a_hint_says_it_better(told: Told, document: Document) -> None:
    """`{address:analog, ...` knows of the missing space; the parser only of something unexpected later."""
    told.tell_empty(Sentence(Place(5, 1), "empty", "a space is missing"))
    told.tell_stop(STOP)
    assert texts(document) == ["empty"]


@pytest.mark.parametrize(("last", "expected"), [(3, ["long", "stop"]), (4, ["long"]), (5, ["long"]), (6, ["long"])])
def test_text_that_ends_beside_a_syntax_error_explains_it(
    told: Told, document: Document, last: int, expected: list[str]
) -> None:
    """A quote that was never closed swallows lines and ends at the next one."""
    told.tell_long(Sentence(Place(1, 1), "long"), Place(last, 1))
    told.tell_stop(STOP)
    assert texts(document) == expected


@pytest.mark.parametrize(("line", "expected"), [(2, ["strange", "stop"]), (5, ["strange"])])
def test_strange_key_is_told_only_before_a_syntax_error(
    told: Told, document: Document, line: int, expected: list[str]
) -> None:
    """In the line of the error it explains it; above, it may be its cause."""
    told.note_strange(Sentence(Place(line, 1), "strange"))
    assert texts(document) == []
    told.tell_stop(STOP)
    assert texts(document) == expected


def test_strange_key_that_was_told_is_not_told_again(told: Told, document: Document) -> None:
    """One problem a place."""
    told.note_strange(Sentence(Place(2, 1), "strange"))
    told.tell(Sentence(Place(2, 1), "first"))
    told.tell_stop(STOP)
    assert texts(document) == ["first", "stop"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: {b, c: 'x' d: 1}\n", "f:1:15: a comma or the end of the { at 1:4 is missing here"),
        ("a: {b:x, c: 'x' d: 1}\n", "f:1:5: 'b:x' has no value (a space is missing after the ':')"),
        ("a:\n b:\n- c\n", "f:3:1: a list entry ('-') stands among keys"),
    ],
)
def test_one_mistake_in_a_file_is_one_problem(text: str, problem: str) -> None:
    """The same with real text."""
    assert [told.sentence for told in compose(text, "f").problems] == [problem]
