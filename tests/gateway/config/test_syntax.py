"""Sentences about text that is not YAML, from both parsers of the library."""

from __future__ import annotations

import pytest
import yaml

from gateway.config import yaml_positions
from gateway.config.document import Place
from gateway.config.syntax import Complaint, explain, missing_colon
from gateway.config.yaml_positions import compose

CASES = {
    "tab before a key": ("a:\n\tb: 1\n", "2:1: a tab indents this line; YAML knows only spaces (replace it by spaces)"),
    "tab after spaces": (
        "a:\n  \tb: 1\n",
        "2:3: a tab indents this line; YAML knows only spaces (replace it by spaces)",
    ),
    "quote never closed": ("a: 'x\nb: 1\n", "1:4: the quote that opens here is never closed"),
    "document mark in quotes": ("a: 'x\n---\nb'\n", "1:4: the quote that opens here is never closed"),
    "unknown escape": (
        'a: "\\q"\n',
        (
            "1:5: in double quotes a backslash begins a special character; "
            "use single quotes, or write \\\\ for one backslash"
        ),
    ),
    "percent": ("a: %MW20\n", "1:4: text that begins with % must stand in quotes"),
    "at": ("a: @x\n", "1:4: text that begins with @ must stand in quotes"),
    "backquote": ("a: `x`\n", "1:4: text that begins with ` must stand in quotes"),
    "asterisk alone": ("a: * x\n", "1:4: text that begins with * must stand in quotes"),
    "ampersand alone": ("a: & x\n", "1:4: text that begins with & must stand in quotes"),
    "tag not closed": ("a: !<x\n", "1:4: text that begins with ! must stand in quotes"),
    "tag of a stranger": ("a: !x!y z\n", "1:4: text that begins with ! must stand in quotes"),
    "directive": ("a: 1\n...\n%YAML 9\n", None),
    "colon twice": ("a: b: c\n", "1:5: this line has a second ':'; text that holds ': ' must stand in quotes"),
    "colon twice after a quoted key": (
        "'a': b: c\n",
        "1:7: this line has a second ':'; text that holds ': ' must stand in quotes",
    ),
    "line too deep after a group": (
        "a:\n  b: 'x'\n    c: 2\n",
        "3:5: this line is indented differently from the other lines of its group",
    ),
    "no colon": ("a: 1\nfoo\n# c\nb: 2\n", "2:1: this line has no ':' after its key"),
    "no colon at the end": ("a: 1\nfoo\n", "2:1: this line has no ':' after its key"),
    "no space after the colon": ("a: 1\nb:2\n# c\nc: 3\n", "2:1: a space is missing after the ':'"),
    "no space after the dash": ("a:\n  - 1\n  -2\n  # c\nb: 1\n", None),
    "brace never closed": (
        "a: {x: 1\n# c\nb: 2\n",
        "1:4: the { that opens here is never closed, or a comma is missing between its entries",
    ),
    "bracket never closed": (
        "a: [1,\n2\n# c\nb: 2\n",
        "1:4: the [ that opens here is never closed, or a comma is missing between its entries",
    ),
    "brace never closed and found deep in the next group": (
        "a: {x: 1,\nb:\n  c:\n    d: 1\n",
        "1:4: the { that opens here is never closed, or a comma is missing between its entries",
    ),
    "wrong bracket": ("a: [1, 2}\n", "1:9: this } is not the end of the [ at 1:4"),
    "comma missing": ("a: {x: 'a' y: 1}\n", "1:12: a comma or the end of the { at 1:4 is missing here"),
    "comma missing on a later line": (
        "a: {x: 1,\n    y: 'a' z: 1}\n",
        "2:12: a comma or the end of the { at 1:4 is missing here",
    ),
    "brace too many": ("a: {x: 1}}\n", "1:10: this } closes nothing"),
    "text after a quote": ("a: 'x' y\n", "1:8: something stands here after the value; put the whole value in quotes"),
    "dash among keys": ("a: 1\n- b\n", "2:1: a list entry ('-') stands among keys"),
    "less indented": (
        "a:\n    b: 1\n  c: 2\n",
        "3:3: this line is indented differently from the other lines of its group",
    ),
    "comma first": ("a: 1\n, b: 1\n", "2:1: a line cannot begin with ','"),
    "first of a group less indented": (
        "a:\n b:\n    c: 1\n  d:\n    e: 1\n  f: 1\n",
        "2:2: this line is indented differently from the other lines of its group (compare it with line 4)",
    ),
    "first of a group more indented": (
        "a:\n   b:\n    c: 1\n  d:\n    e: 1\n  f: 1\n",
        "2:4: this line is indented differently from the other lines of its group (compare it with line 4)",
    ),
    "group in a comment": (
        "a:\n  b: 1\n#  c:\n    # comment\n    d: 1\n    e: 1\n",
        "3:1: this line is commented out, but the lines below belong to it",
    ),
    "strange key in the line": (
        "a:\n  b {c: 'x', d: 1}\n",
        "2:3: 'b {c' cannot be a key: a ':', a space or a line end is missing, or one is too many",
    ),
    "comma missing at the end of a line": (
        "a: {b: 1\n    c: 2}\n",
        "1:8: after this, a comma or a closing bracket is missing",
    ),
    "group without colon": ("a:\n  b:x\n  # c\n    d: 1\n", None),
    "text after a bar": ("a: | x\n", "1:4: after | or > nothing else may stand in the line; other text goes in quotes"),
    "after the end": ("a: 1\n...\nb: 2\n", "3:1: a file holds one document; nothing may follow '...'"),
}


@pytest.mark.parametrize("loader", [yaml.CSafeLoader, yaml.SafeLoader], ids=["C", "Python"])
@pytest.mark.parametrize("name", [name for name, (_, sentence) in CASES.items() if sentence])
def test_sentence_names_place_and_cause(loader: type, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever parser is at hand, the technician reads the same."""
    monkeypatch.setattr(yaml_positions, "_LOADER", loader)
    text, sentence = CASES[name]
    assert [problem.sentence for problem in compose(text, "f").problems] == [f"f:{sentence}"]


@pytest.mark.parametrize("loader", [yaml.CSafeLoader, yaml.SafeLoader], ids=["C", "Python"])
@pytest.mark.parametrize("name", CASES)
def test_no_text_of_a_parser_comes_through(loader: type, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No message speaks of tokens, scalars, block mappings or contexts."""
    monkeypatch.setattr(yaml_positions, "_LOADER", loader)
    for problem in compose(CASES[name][0], "f").problems:
        for word in ("token", "scalar", "block", "context", "stream", "mapping", "not valid YAML"):
            assert word not in problem.text


def test_strange_key_is_told_with_the_syntax_error_that_it_causes() -> None:
    """The parser stops at the end of the group, many lines later; the lost line end is where the key looks strange."""
    text = "a: 'x'\nb:c  d:\n    e: 1\n    f: 1\n    g: 1\n  h: 1\n"
    assert [problem.sentence for problem in compose(text, "f").problems] == [
        "f:2:1: 'b:c  d' cannot be a key: a ':', a space or a line end is missing, or one is too many",
        "f:6:3: this line is indented differently from the other lines of its group",
    ]


def test_strange_key_without_a_syntax_error_is_left_to_the_models() -> None:
    """They know which keys there are, and say more."""
    assert compose("a b: 1\n", "f").problems == []


def test_unknown_complaint_is_passed_on() -> None:
    """A newer parser may say something new; it is shown rather than lost."""
    sentence = explain(Complaint("found a unicorn", Place(3, 4)), ["a", "b", "c"])
    assert sentence[:3] == (Place(3, 4), "this is not valid YAML: found a unicorn", None)


def test_place_beyond_the_text_is_no_error() -> None:
    """Parsers name the line after the last one when a text ends too early."""
    complaint = Complaint("mapping values are not allowed here", Place(9, 9))
    assert explain(complaint, ["a: b"]).place == Place(9, 9)


def test_line_without_colon_says_what_is_missing() -> None:
    """Three slips look alike to a parser and are told apart here."""
    assert missing_colon(Place(1, 1), "driver sim").text == "this line has no ':' after its key"
    assert missing_colon(Place(1, 3), "  driver:sim").text == "a space is missing after the ':'"
    assert missing_colon(Place(1, 3), "  -90").text == "a space is missing after '-'"
