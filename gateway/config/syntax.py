"""The complaints of a YAML parser turned into sentences for a technician, at the place where the mistake is.

Both parsers of PyYAML are understood: the one in C (libyaml) and the one in Python word some complaints differently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.config.document import Place
from gateway.config.scalars import is_text, resolve
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE_MISSING = re.compile(r"[A-Za-z_][\w-]*:[^\s/]")
NO_NAME: Final = "a name is missing before this ':'"
_KEY = re.compile(r"\s*(- )?.+:(\s|$)|.*[}\]]\s*$")
"""A line with a key, or the end of what is in brackets."""
_NO_BEGINNING: Final = {
    ":": NO_NAME,
    "-": "a list entry ('-') stands among keys",
    ",": "a line cannot begin with ','",
}
_COMMENTED_GROUP = re.compile(r"#+\s*[\w.-]+:")
_KEY_WITH_VALUE = re.compile(r"""\s*(- )?([^\s'"#{\[][^#]*?|"[^"]*"|'[^']*'):\s+\S""")


class Sentence(NamedTuple):
    """What is wrong, and where."""

    place: Place
    text: str
    hint: str | None = None
    code: str = Code.NOT_YAML


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a parser says of a text that is not YAML."""

    problem: str
    place: Place
    """Where the parser stopped."""
    context: str = ""
    start: Place | None = None
    """Where the thing begins that the parser was reading."""


def explain(complaint: Complaint, lines: list[str]) -> Sentence:
    """The sentence for a complaint about a text of these lines."""
    for marks, sentence in _SENTENCES:
        if all(mark in f"{complaint.context}: {complaint.problem}" for mark in marks):
            return sentence(complaint, lines)
    return Sentence(complaint.place, f"this is not valid YAML: {complaint.problem}")


def indenting_tabs(lines: list[str]) -> list[Sentence]:
    """One sentence for each line that is indented by a tab."""
    text = "a tab indents this line; YAML knows only spaces"
    return [
        Sentence(Place(number, line.index("\t") + 1), text, "replace it by spaces", Code.TAB)
        for number, line in enumerate(lines, start=1)
        if "\t" in line[: len(line) - len(line.lstrip())] and not line.lstrip().startswith("#") and line.strip()
    ]


def missing_colon(place: Place, line: str) -> Sentence:
    """The sentence for a line that begins at `place` like a key and has no ': '."""
    if line[place.column - 1 :].startswith("-"):
        return Sentence(place, "a space is missing after '-'", code=Code.COLON)
    if _SPACE_MISSING.match(line[place.column - 1 :]):
        return Sentence(place, "a space is missing after the ':'", code=Code.COLON)
    return Sentence(place, "this line has no ':' after its key", code=Code.COLON)


def empty_value_hint(key: str) -> str | None:
    """What a key without a value may have been meant to be, where it looks like more than a key."""
    if _SPACE_MISSING.match(key):
        return "a space is missing after the ':'"
    if not key.isascii() and resolve(key).complaint:
        return "a space or quote in it is not a plain one: type it again"
    if not is_text(key):
        return "text with a comma must stand in quotes; a decimal number is written with a point"
    return None if is_word(key) else "a ':' is missing after the key"


def is_word(key: str) -> bool:
    """Whether a key has the form that all keys of a configuration have."""
    return re.fullmatch(r"[\w.-]+", key) is not None


def _line(place: Place, lines: list[str]) -> str:
    return lines[place.line - 1] if place.line <= len(lines) else ""


def _character(place: Place, lines: list[str]) -> str:
    return _line(place, lines)[place.column - 1 : place.column]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _start(complaint: Complaint) -> Place:
    return complaint.start or complaint.place


def _open_quote(complaint: Complaint, _lines: list[str]) -> Sentence:
    return Sentence(_start(complaint), "the quote that opens here is never closed")


def _escape(complaint: Complaint, lines: list[str]) -> Sentence:
    line, column = complaint.place[:2]
    backslash = _line(complaint.place, lines).rfind("\\", 0, column) + 1
    text = "in double quotes a backslash begins a special character; use single quotes, or write \\\\ for one backslash"
    return Sentence(Place(line, backslash or column), text)


def _unusable_start(complaint: Complaint, lines: list[str]) -> Sentence:
    character = _character(complaint.place, lines)
    return Sentence(complaint.place, f"text that begins with {character} must stand in quotes")


def _special_start(complaint: Complaint, lines: list[str]) -> Sentence:
    return _unusable_start(Complaint(complaint.problem, _start(complaint)), lines)


def _second_colon(complaint: Complaint, lines: list[str]) -> Sentence:
    before = _line(complaint.place, lines)[: complaint.place.column]
    if _KEY_WITH_VALUE.match(before):
        text = "this line has a second ':'; text that holds ': ' must stand in quotes"
        return Sentence(complaint.place, text, code=Code.COLON)
    text = "this line is indented too deep, or the line before it lacks its ':'"
    return Sentence(complaint.place, text)


def _missing_colon(complaint: Complaint, lines: list[str]) -> Sentence:
    return missing_colon(_start(complaint), _line(_start(complaint), lines))


def _open_bracket(complaint: Complaint, lines: list[str]) -> Sentence:
    start, place = _start(complaint), complaint.place
    opened, found = _character(start, lines), _character(place, lines)
    since = (line for line in lines[start.line : place.line] if line.strip())
    if any(_indent(line) <= _indent(_line(start, lines)) for line in since):
        return Sentence(
            start, f"the {opened} that opens here is never closed, or a comma is missing between its entries"
        )
    if found == ":" and _line(place, lines)[: place.column - 1].rstrip().endswith(("{", ",")):
        return Sentence(place, NO_NAME)
    of = f" of the {opened} at {start.line}:{start.column}" if opened in {"{", "["} else ""
    if found in {"}", "]"}:
        return Sentence(place, f"this {found} is not the end{of}")
    return Sentence(place, f"a comma or the end{of} is missing here")


def _unexpected(complaint: Complaint, lines: list[str]) -> Sentence:
    place, line = complaint.place, _line(complaint.place, lines)
    character = _character(place, lines)
    if character in {"}", "]"}:
        return Sentence(place, f"this {character} closes nothing")
    if line[: place.column - 1].strip(" -"):
        return Sentence(place, "something stands here after the value; put the whole value in quotes")
    if character in _NO_BEGINNING:
        return Sentence(place, _NO_BEGINNING[character])
    for here in (*islice(_code_above(place, lines), 1), place):
        if not _KEY.match(_line(here, lines).partition(" #")[0]):
            return missing_colon(here, _line(here, lines))
    return _misindented(complaint, lines)


def _misindented(complaint: Complaint, lines: list[str]) -> Sentence:
    """The sentence for the line whose indentation the fewest lines share: the parser may see it only much later."""
    place = complaint.place
    commented = _commented_group(place, lines)
    if commented:
        return Sentence(commented, "this line is commented out, but the lines below belong to it")
    places = [place, *_shallower_group(complaint, lines), *_deeper_group(place, lines)]
    columns = [above.column for above in _code_above(Place(len(lines) + 1, 1), lines)]
    culprit = min(places, key=lambda one: (columns.count(one.column), one.column % 2, -one.line))
    text = "this line is indented differently from the other lines of its group"
    return Sentence(culprit, text, None if culprit == place else f"compare it with line {place.line}")


def _code_above(place: Place, lines: list[str]) -> Iterator[Place]:
    """Where the lines above begin that are neither blank nor comments, the nearest first."""
    for number in range(place.line - 1, 0, -1):
        code = lines[number - 1].strip()
        if code and not code.startswith("#"):
            yield Place(number, _indent(lines[number - 1]) + 1)


def _shallower_group(complaint: Complaint, lines: list[str]) -> list[Place]:
    """The first line of the group that the parser was in, where nothing shallower stands between it and this line."""
    shallower = (above for above in _code_above(complaint.place, lines) if above.column < complaint.place.column)
    return [above for above in islice(shallower, 1) if above == complaint.start]


def _deeper_group(place: Place, lines: list[str]) -> list[Place]:
    """The first line of the group above that is indented deeper than this line and may be meant to stand beside it."""
    deeper = list(takewhile(lambda above: above.column > place.column, _code_above(place, lines)))
    return deeper[-1:]


def _commented_group(place: Place, lines: list[str]) -> Place | None:
    """The nearest line above that names a group in a comment, where nothing but comments stands between."""
    for number in range(place.line - 1, 0, -1):
        line = lines[number - 1].strip()
        if _COMMENTED_GROUP.fullmatch(line):
            return Place(number, _indent(lines[number - 1]) + 1)
        if line and not line.startswith("#"):
            return None
    return None


def _block_text(complaint: Complaint, _lines: list[str]) -> Sentence:
    return Sentence(_start(complaint), "after | or > nothing else may stand in the line; other text goes in quotes")


def _second_document(complaint: Complaint, _lines: list[str]) -> Sentence:
    return Sentence(complaint.place, "a file holds one document; nothing may follow '...'")


def _tag(complaint: Complaint, _lines: list[str]) -> Sentence:
    return Sentence(_start(complaint), "text that begins with ! must stand in quotes")


def _directive(complaint: Complaint, _lines: list[str]) -> Sentence:
    return Sentence(Place(complaint.place.line, 1), "a line cannot begin with %; text that does must stand in quotes")


def _too_deep(complaint: Complaint, _lines: list[str]) -> Sentence:
    return Sentence(complaint.place, "too many brackets are opened inside each other")


_SENTENCES = (
    (("quoted scalar", "unexpected end of stream"), _open_quote),
    (("quoted scalar", "unexpected document"), _open_quote),
    (("escape",), _escape),
    (("scanning an alias",), _special_start),
    (("scanning an anchor",), _special_start),
    (("a tag",), _tag),
    (("undefined tag handle",), _tag),
    (("directive",), _directive),
    (("cannot start any token",), _unusable_start),
    (("mapping values are not allowed",), _second_colon),
    (("could not find expected ':'",), _missing_colon),
    (("parsing a flow",), _open_bracket),
    (("block scalar",), _block_text),
    (("parsing a block",), _unexpected),
    (("<document start>",), _second_document),
    (("nesting depth",), _too_deep),
)
"""Marks that all stand in a complaint, and who words it; the first that fits counts."""
