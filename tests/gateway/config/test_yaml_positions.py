"""Strict YAML: what is taken, what is refused, and at which place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from gateway.config import yaml_positions
from gateway.config.yaml_positions import MOST_LEVELS, compose

if TYPE_CHECKING:
    from gateway.config.document import Node


def told(text: str) -> list[str]:
    return [problem.sentence for problem in compose(text, "f").problems]


def value_of(text: str) -> object:
    document = compose(text, "f")
    assert document.problems == []
    assert document.root is not None
    return document.root.value


def nodes_of(node: Node) -> list[Node]:
    return [node, *(below for child in node.children.values() for below in nodes_of(child))]


@pytest.fixture(params=["C", "Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers of the YAML library, one after the other."""
    loader = yaml.CSafeLoader if request.param == "C" else yaml.SafeLoader
    monkeypatch.setattr(yaml_positions, "_LOADER", loader)
    return str(request.param)


def test_values_are_plain_python(parser: str) -> None:
    """Groups, lists, numbers, truth values and text become what Python has for them."""
    text = "a: {b: [1, 2.5, true], 'c': \"08\"}\nd: no-quotes here\ne: |\n  two\n  lines\n"
    assert value_of(text) == {"a": {"b": [1, 2.5, True], "c": "08"}, "d": "no-quotes here", "e": "two\nlines\n"}


def test_usual_loader_reads_the_same(parser: str) -> None:
    """What is accepted means to PyYAML's own loader what it means here."""
    text = "version: 1\ndevices:\n  press-12:\n    range: [0, -1.5e+3]\n    unit: °C # comment\n    on_off: 'on'\n"
    assert value_of(text) == yaml.safe_load(text)


def test_every_value_knows_its_place(parser: str) -> None:
    """Lines and columns count from 1, in characters, whatever stands before."""
    document = compose("# é\né: °C\nb:\n  - x\n  - {c: 1}\n", "f")
    assert document.root is not None
    places = [(node.key_place[:2], node.place[:2]) for node in nodes_of(document.root)]
    assert places == [
        ((2, 1), (2, 1)),
        ((2, 1), (2, 4)),
        ((3, 1), (4, 3)),
        ((4, 5), (4, 5)),
        ((5, 5), (5, 5)),
        ((5, 6), (5, 9)),
    ]


def test_key_that_stands_twice_names_both_lines(parser: str) -> None:
    """YAML would silently take the last one."""
    assert told("a: 1\nb: 2\n\na: 3\n") == ["f:4:1: the key 'a' stands twice in its group, first in line 1"]
    assert told("a: 1\n'a': 3\n") == ["f:2:1: the key 'a' stands twice in its group, first in line 1"]


def test_first_of_two_equal_keys_is_checked_further(parser: str) -> None:
    """The rest of the file is checked all the same."""
    document = compose("a: 1\na: 2\n", "f")
    assert document.root is not None
    assert document.root.value == {"a": 1}
    assert document.root.doubtful


def test_words_read_in_two_ways_are_refused(parser: str) -> None:
    """The refusal stands at the value, and its text is kept so that the rest can be checked."""
    document = compose("a: no\nb: 08\n", "f")
    assert [(problem.line, problem.column) for problem in document.problems] == [(1, 4), (2, 4)]
    assert document.root is not None
    assert document.root.value == {"a": "no", "b": "08"}
    assert all(node.refused for node in document.root.children.values())


def test_same_words_in_quotes_are_text(parser: str) -> None:
    """Quotes settle the matter."""
    text = "a: 'no'\nb: \"08\"\nc: '12:30'\nd: '~'\ne: ''\n"
    assert value_of(text) == {"a": "no", "b": "08", "c": "12:30", "d": "~", "e": ""}


@pytest.mark.parametrize("name", ["12", "no", "1.5", "0x10", "true", "~", "12:30"])
def test_names_that_are_not_text_must_be_quoted(parser: str, name: str) -> None:
    """A device called 12 or `no` is fine, in quotes."""
    assert told(f"{name}: {{a: 1}}\n") == [f'f:1:1: as a name, {name} must stand in quotes: write "{name}"']
    assert value_of(f"'{name}': {{a: 1}}\n") == {name: {"a": 1}}


@pytest.mark.parametrize("key", ["texts", "bits"])
def test_numbers_of_states_and_bits_need_no_quotes(parser: str, key: str) -> None:
    """Nobody takes them for names; a number that YAML reads otherwise than people is refused as everywhere."""
    assert value_of(f"{key}: {{0: idle, -1: unknown, 12: x}}\n") == {key: {"0": "idle", "-1": "unknown", "12": "x"}}
    for text, name in ((f"{key}: {{08: x}}\n", "08"), (f"a: {{{key}: {{0: x}}, 1: y}}\n", "1")):
        (problem,) = told(text)
        assert f'as a name, {name} must stand in quotes: write "{name}"' in problem


def test_key_without_value_is_told_at_the_key(parser: str) -> None:
    """An empty line is no way to say None."""
    assert told("a:\nb: 1\n") == ["f:1:1: 'a' has no value"]
    assert told("a: ~\n") == ["f:1:1: 'a' has no value"]
    assert told("a: [1, null]\n") == ["f:1:8: an entry of this list has no value"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: {address:analog}\n", "a space is missing after the ':'"),
        ("a: {address analog}\n", "a ':' is missing after the key"),
        ("a: {b: 0,5}\n", "text with a comma must stand in quotes; a decimal number is written with a point"),
        ("a: {b:\u00a0c}\n", "a space or quote in it is not a plain one: type it again"),
    ],
)
def test_key_without_value_says_what_it_may_have_been(text: str, hint: str) -> None:
    """In brackets a small slip makes a key of a value."""
    assert [problem.hint for problem in compose(text, "f").problems] == [hint]


@pytest.mark.parametrize(
    ("text", "what", "sign"),
    [
        ("a: &x 1\n", "anchors (&)", "&"),
        ("a: *x\n", "aliases (*)", "*"),
        ("a: !!float 1\n", "tags of YAML (!)", "!"),
        ("a: !python/object:os.system {b: 1}\n", "tags of YAML (!)", "!"),
        ("&x a: 1\n", "anchors (&)", "&"),
    ],
)
def test_extras_of_yaml_are_refused(parser: str, text: str, what: str, sign: str) -> None:
    """What a file says stands where it is read."""
    (line,) = told(text)
    assert line.endswith(f": {what} are not used in these files (text that begins with {sign} must stand in quotes)")


def test_merge_keys_are_refused(parser: str) -> None:
    """No group is mixed into another behind the reader's back."""
    assert told("a:\n  <<: {b: 1}\n") == ["f:2:3: merge keys (<<) are not used in these files (write the keys out)"]


@pytest.mark.parametrize("text", ["? [a, b]\n: c\n", "? {a: 1}\n: c\n"])
def test_keys_are_single_words(parser: str, text: str) -> None:
    """YAML allows lists as keys; no configuration needs them."""
    assert [p.text for p in compose(text, "f").problems] == ["a key must be a single word"]


def test_key_without_a_name_is_refused(parser: str) -> None:
    """A forgotten name before the colon is told."""
    assert told("a: 1\n: 1\n") == ["f:2:1: a name is missing before this ':'"]
    assert told("a: {: 1}\n") == ["f:1:5: a name is missing before this ':'"]


def test_second_document_is_refused(parser: str) -> None:
    """A file holds one document, with or without its opening dashes."""
    assert value_of("---\na: 1\n") == {"a": 1}
    assert told("a: 1\n---\nb: 2\n") == ["f:2:1: a second document begins here; a file holds only one"]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n"])
def test_empty_file_is_told(parser: str, text: str) -> None:
    """Nothing is not an empty configuration."""
    assert told(text) == ["f:1:1: this file is empty (a configuration file consists of lines of the form 'key: value')"]


@pytest.mark.parametrize("text", ["- 1\n", "word\n", "12\n", "'quoted'\n", "[1, 2]\n", "---\n"])
def test_file_that_is_no_group_of_keys_is_told(parser: str, text: str) -> None:
    """A list or a word is no configuration."""
    document = compose(text, "f")
    assert document.root is None
    assert [p.text for p in document.problems] == ["a configuration file consists of lines of the form 'key: value'"]


def test_text_over_several_lines_is_refused_at_its_second_line(parser: str) -> None:
    """Nearly always the second line was meant to be something else."""
    assert told("a: one\n\n   two\nb: 1\n")[0].startswith("f:3:4: this line continues the text of line 1 (")


def test_quote_over_several_lines_is_refused_where_it_opens(parser: str) -> None:
    """The missing quote is where it was forgotten, not where the next one stands."""
    text = 'a: "one\nb: 1\nc: "two"\n'
    assert told(text) == ["f:1:4: the quote that opens here is not closed in this line (a longer text begins with |)"]


def test_text_that_says_that_it_is_long_is_taken(parser: str) -> None:
    """Two signs of YAML begin a longer text."""
    assert value_of("a: |\n  one\n  two\nb: >\n  one\n  two\n") == {"a": "one\ntwo\n", "b": "one two\n"}


def test_depth_is_bounded(parser: str) -> None:
    """A file of a million brackets ends neither the stack nor the memory."""
    deep = "a: " + "[" * MOST_LEVELS + "1" + "]" * MOST_LEVELS + "\n"
    assert told(deep) == ["f:1:24: more than 20 levels stand inside each other here"]
    assert len(told("a: " + "[" * 1_000_000)) == 1
    fits = "a: " + "[" * (MOST_LEVELS - 1) + "1" + "]" * (MOST_LEVELS - 1) + "\n"
    assert told(fits) == []


def test_bomb_of_aliases_is_refused_at_once(parser: str) -> None:
    """Aliases are never followed, so a small file cannot grow."""
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30))]
    document = compose("\n".join(lines), "f")
    assert document.root is not None
    assert len(nodes_of(document.root)) == 1 + 30 * 3


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2\n",
        "password: 012345\n",
        "password: [hunter2, 08]\n",
        "password: {hunter2}\n",
        "password: {secret: 08}\n",
        "password: {secret: a, secret: hunter2}\n",
        "password: {secret: a, other: hunter2}\n",
        "password: {12: hunter2}\n",
        "password: &hunter2 x\n",
        "password: *hunter2\n",
        "password: !hunter2 x\n",
        "password: 'hunter2\n  hunter2'\n",
        "password:\n",
        "Password: hunter2\n",
        "passwrod: hunter2\n",
        "passphrase: hunter2\n",
    ],
)
def test_secret_in_the_file_is_refused_and_never_shown(parser: str, text: str) -> None:
    """One sentence stands for whatever was written there."""
    (line,) = told(text)
    assert "a secret must not stand in this file (write {secret: NAME}" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("text", ["password: 'hunter2\n", "password: {hunter2\n", "password: 'a' hunter2\n"])
def test_syntax_error_in_a_secret_does_not_show_it(parser: str, text: str) -> None:
    """The sentence about the syntax repeats nothing, and there always is one."""
    lines = told(text)
    assert lines
    assert "hunter2" not in "".join(lines)


def test_name_of_a_secret_is_taken(parser: str) -> None:
    """This is how a secret is written."""
    assert value_of("password: {secret: broker-password}\n") == {"password": {"secret": "broker-password"}}


@pytest.mark.parametrize("key", ["bypass", "pass", "passenger_count", "secret", "passes", "password_changes_counted"])
def test_tags_may_be_called_almost_like_a_secret(key: str) -> None:
    """A counter of passes is no password."""
    assert told(f"{key}: {{address: counter}}\n") == []
