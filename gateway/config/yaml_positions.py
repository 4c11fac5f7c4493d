"""Strict YAML with the place of every key and value. The only room that knows the YAML library.

Anchors, aliases, tags and merge keys are refused: what a file says stands where it is read. A text over several lines
is refused unless it begins with `|` or `>`: nearly always a quote, a comma or a colon is missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from gateway.config.document import TOP, Document, Node, Place
from gateway.config.problems import quoted
from gateway.config.scalars import is_text, resolve
from gateway.config.secrets import PLAIN_SECRET, PLAIN_SECRET_HINT, names_a_secret
from gateway.config.syntax import (
    NO_NAME,
    Complaint,
    Sentence,
    empty_value_hint,
    explain,
    indenting_tabs,
    is_word,
    missing_colon,
)
from gateway.config.told import Told
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LEVELS: Final = 20
"""No configuration is nested deeper; a file that is, is none."""

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C where it is there: ten times faster."""

_NUMBERED: Final = frozenset({"texts", "bits"})
"""Keys whose mappings have numbers for keys: nobody quotes them in `{0: idle, 1: running}`."""

_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]*)")

_NO_MAPPING: Final = "a configuration file consists of lines of the form 'key: value'"


def compose(text: str, file: str) -> Document:
    """Read the text of one file. Whatever it holds, problems come back and nothing is raised."""
    return _Composer(text, file).compose()


class _NotYaml(Exception):  # noqa: N818 - it never leaves this module
    """The rest of the text cannot be read."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence.text)
        self.sentence = sentence


class _Key(NamedTuple):
    """A key of a mapping."""

    text: str
    place: Place
    plain: bool
    """Whether it stands without quotes."""


class _Composer:
    """Turns the parser's events into nodes, one method for each kind of event."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._lines = text.splitlines()
        self._document = Document(file, None)
        self._told = Told(self._document)
        self._events: Iterator[Any] = iter(())
        self._brackets = 0
        """Brackets and braces that are open."""
        self._numbered = False
        """The keys of the mapping that is read are numbers."""

    def compose(self) -> Document:
        """Read on to the end, or to where the text stops being YAML."""
        tabs = indenting_tabs(self._lines)
        for sentence in tabs:
            self._told.tell(sentence)
        root = None
        try:
            root = self._root()
        except _NotYaml as error:
            if not tabs:
                self._told.tell_stop(error.sentence)
        return Document(self._document.file, root, self._document.problems)

    def _root(self) -> Node | None:
        self._events = self._parse()
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise _NotYaml(Sentence(TOP, "this file is empty", _NO_MAPPING))
        root = self._node(next(self._events), None, 0)
        if not isinstance(root.value, dict):
            self._refuse(root, _NO_MAPPING)
            return None
        following = next(event for event in self._events if not isinstance(event, yaml.DocumentEndEvent))
        if not isinstance(following, yaml.StreamEndEvent):
            self._told.tell(Sentence(_place(following), "a second document begins here; a file holds only one"))
        return root

    def _parse(self) -> Iterator[Any]:
        try:
            events = yaml.parse(self._text, Loader=_LOADER)
            next(events)
            yield from events
        except yaml.MarkedYAMLError as error:
            raise _NotYaml(explain(_complaint(error), self._lines)) from None
        except yaml.YAMLError as error:
            raise _NotYaml(Sentence(TOP, f"this is not valid YAML: {error}")) from None

    def _node(self, event: Any, key_place: Place | None, depth: int) -> Node:
        node = Node(None, _place(event), key_place or _place(event))
        if depth > MOST_LEVELS:
            raise _NotYaml(Sentence(node.place, f"more than {MOST_LEVELS} levels stand inside each other here"))
        extra = _extra(event)
        if extra:
            self._refuse(node, *extra, Code.YAML_EXTRA)
        opened = isinstance(event, yaml.CollectionStartEvent) and event.flow_style is True
        self._brackets += opened
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, node)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._list(node, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            self._mapping(node, depth)
        self._brackets -= opened
        return node

    def _scalar(self, event: Any, node: Node) -> None:
        node.value = event.value
        if event.style in {"|", ">"}:
            return
        if event.end_mark.line > event.start_mark.line:
            self._several_lines(event, node)
        elif not event.style:
            node.value, complaint = resolve(event.value)
            if complaint and node.value is not None:
                self._refuse(node, complaint, code=Code.DOUBTFUL_WORD)

    def _several_lines(self, event: Any, node: Node) -> None:
        if not node.refused:
            sentence = self._unclosed(node) if event.style else self._continued(node)
            self._told.tell_long(sentence, Place(event.end_mark.line + 1, 1))
        node.refused = True

    def _unclosed(self, node: Node) -> Sentence:
        text = "the quote that opens here is not closed in this line"
        return Sentence(node.place, text, "a longer text begins with |")

    def _continued(self, node: Node) -> Sentence:
        if self._brackets:
            return Sentence(node.place, "after this, a comma or a closing bracket is missing")
        line = self._lines[node.place.line - 1]
        if not line[: node.place.column - 1].strip(" -"):
            return missing_colon(node.place, line)
        text = f"this line continues the text of line {node.place.line}"
        hint = "it is indented too deep, or a ':' is missing; a longer text begins with |"
        return Sentence(self._line_after(node.place), text, hint)

    def _line_after(self, place: Place) -> Place:
        """Where the next line with something in it begins."""
        following = enumerate(self._lines[place.line :], place.line + 1)
        number, line = next((number, line) for number, line in following if line.strip())
        return Place(number, len(line) - len(line.lstrip()) + 1)

    def _list(self, node: Node, depth: int) -> None:
        values: list[object] = []
        node.value = values
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            child = self._node(event, None, depth + 1)
            if child.value is None:
                self._refuse(child, "an entry of this list has no value", code=Code.NO_VALUE)
            node.children[len(values)] = child
            values.append(child.value)

    def _mapping(self, node: Node, depth: int) -> None:
        values: dict[str, object] = {}
        node.value = values
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, node, depth)
            if key is None:
                self._node(next(self._events), _place(event), depth + 1)
                continue
            child = self._value(key, node, depth)
            if key.text in node.children:
                first = node.children[key.text].key_place.line
                text = f"the key {quoted(key.text)} stands twice in its group, first in line {first}"
                self._refuse_key(node, key.place, text, code=Code.KEY_TWICE)
            else:
                node.children[key.text] = child
                values[key.text] = child.value

    def _key(self, event: Any, node: Node, depth: int) -> _Key | None:
        place = _place(event)
        if isinstance(event, yaml.CollectionStartEvent):
            self._node(event, None, depth + 1)
            self._refuse_key(node, place, "a key must be a single word", "text that begins with ? must stand in quotes")
        elif extra := _extra(event):
            self._refuse_key(node, place, *extra, Code.YAML_EXTRA)
        elif event.value == "<<":
            text = "merge keys (<<) are not used in these files"
            self._refuse_key(node, place, text, "write the keys out", Code.YAML_EXTRA)
        elif not event.value and not event.style:
            self._refuse_key(node, place, NO_NAME)
        else:
            return _Key(event.value, place, not event.style)
        return None

    def _value(self, key: _Key, node: Node, depth: int) -> Node:
        if key.plain and not is_word(key.text):
            text = f"{quoted(key.text)} cannot be a key: a ':', a space or a line end is missing, or one is too many"
            self._told.note_strange(Sentence(key.place, text, code=Code.COLON))
        hidden, hides = self._told.hidden, names_a_secret(key.text)
        self._told.hidden = hidden or hides
        numbered, self._numbered = self._numbered, key.text in _NUMBERED
        child = self._node(next(self._events), key.place, depth + 1)
        self._told.hidden, self._numbered = hidden, numbered
        if hides and not _names_its_secret(child):
            child.refused = False
            self._refuse(child, PLAIN_SECRET, PLAIN_SECRET_HINT, Code.PLAIN_SECRET)
        elif child.value is None and not child.refused:
            self._empty(key, node, child)
        elif key.plain and not is_text(key.text) and not (numbered and _WHOLE.fullmatch(key.text)):
            text = f'as a name, {key.text} must stand in quotes: write "{key.text}"'
            self._refuse_key(node, key.place, text, code=Code.DOUBTFUL_WORD)
        return child

    def _empty(self, key: _Key, node: Node, child: Node) -> None:
        hint = empty_value_hint(key.text)
        self._told.tell_empty(Sentence(key.place, f"{quoted(key.text)} has no value", hint, Code.NO_VALUE))
        child.refused = True
        node.doubtful = node.doubtful or hint is not None

    def _refuse_key(
        self, node: Node, place: Place, text: str, hint: str | None = None, code: str = Code.NOT_YAML
    ) -> None:
        node.refused = node.refused or self._told.hidden
        node.doubtful = True
        self._told.tell(Sentence(place, text, hint, code))

    def _refuse(self, node: Node, text: str, hint: str | None = None, code: str = Code.NOT_YAML) -> None:
        if not node.refused:
            self._told.tell(Sentence(node.place, text, hint, code))
        node.refused = True


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _extra(event: Any) -> tuple[str, str] | None:
    """What of YAML an event uses that these files do without, and the hint; None where it uses nothing of the kind."""
    if isinstance(event, yaml.AliasEvent):
        extra, sign = "aliases (*)", "*"
    elif event.anchor is not None:
        extra, sign = "anchors (&)", "&"
    elif event.tag is not None:
        extra, sign = "tags of YAML (!)", "!"
    else:
        return None
    return f"{extra} are not used in these files", f"text that begins with {sign} must stand in quotes"


def _complaint(error: yaml.MarkedYAMLError) -> Complaint:
    stop, start = error.problem_mark, error.context_mark
    return Complaint(
        problem=error.problem or "",
        place=Place(stop.line + 1, stop.column + 1) if stop else TOP,
        context=error.context or "",
        start=Place(start.line + 1, start.column + 1) if start else None,
    )


def _names_its_secret(node: Node) -> bool:
    name = node.children.get("secret")
    if node.refused or name is None or len(node.children) > 1:
        return False
    return isinstance(name.value, str) and not name.refused
