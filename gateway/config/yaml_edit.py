"""Changes tags in the text of a connection file and leaves every other character, comments and columns included.

A library that keeps comments loses the blanks that line up a column; people line up their tags.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import yaml

from gateway.config.scalars import is_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.config.document import Step

_NEEDS_QUOTES: Final = frozenset("{}[],:#&*!|>'\"%@`?\\\n\t")
"""Characters that may mean something to YAML, inside brackets too."""


_WITHOUT_POINT: Final = re.compile(r"^(-?[0-9]+)e")
"""A number such as 1e-05, which YAML 1.1 takes for a text."""


class Removed:
    """Stands for the value of a key that is to go."""


REMOVED: Final = Removed()


def edited(text: str, group: Sequence[Step], changes: Mapping[str, Mapping[str, Any] | Removed]) -> str:
    """The text with changed tags.

    Args:
        text: a connection file that is free of errors.
        group: the way to the group that holds the tags, such as `("devices", "press-12", "tags")`; the last step may
            not be there yet.
        changes: for a tag its keys with their new values, `REMOVED` for a key that goes; `REMOVED` for a tag that goes.
            A tag that is not there yet is added behind the last.
    """
    editor = _Editor(text)
    above, last = editor.node(group[:-1]), str(group[-1])
    if _entry(above, last) is None:
        new_tags = {name: _without_removed(keys) for name, keys in changes.items() if not isinstance(keys, Removed)}
        editor.change_entries(above, set(), {last: new_tags})
        return editor.text()
    node = editor.node(group)
    for name, keys in changes.items():
        entry = _entry(node, name)
        if entry is not None and not isinstance(keys, Removed):
            _edit_tag(editor, entry[1], keys)
    gone = {name for name, keys in changes.items() if isinstance(keys, Removed)}
    new = {name: keys for name, keys in changes.items() if _entry(node, name) is None and not isinstance(keys, Removed)}
    editor.change_entries(node, gone, {name: _without_removed(keys) for name, keys in new.items()})
    return editor.text()


def yaml_text(value: Any) -> str:
    """A value as a file says it, in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{yaml_text(key)}: {yaml_text(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(yaml_text(inner) for inner in value) + "]"
    if (
        isinstance(value, str)
        and value
        and not _NEEDS_QUOTES & set(value)
        and value == value.strip()
        and is_text(value)
    ):
        return value
    written = json.dumps(value, ensure_ascii=False)
    return _WITHOUT_POINT.sub(r"\1.0e", written) if isinstance(value, float) else written


def _edit_tag(editor: _Editor, tag: yaml.MappingNode, keys: Mapping[str, Any]) -> None:
    new = {}
    for key, value in _without_removed(keys).items():
        entry = _entry(tag, key)
        if entry is None:
            new[key] = value
        else:
            editor.replace(entry[1], yaml_text(value))
    editor.change_entries(tag, {key for key, value in keys.items() if isinstance(value, Removed)}, new)


def _without_removed(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if not isinstance(value, Removed)}


@dataclass
class _Editor:
    """Collects changes of a text and makes them all at once."""

    source: str
    _edits: list[tuple[int, int, str]] = field(default_factory=list)
    """Begin, end, and what stands there instead."""

    def __post_init__(self) -> None:
        self._lines = [0]
        for line in self.source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._root: Any = yaml.compose(self.source, Loader=yaml.SafeLoader)

    def node(self, steps: Sequence[Step]) -> yaml.MappingNode:
        """The mapping at these steps."""
        node = self._root
        for step in steps:
            entry = _entry(node, str(step))
            assert entry is not None, f"no {step} in {steps}"
            node = entry[1]
        assert isinstance(node, yaml.MappingNode)
        return node

    def replace(self, node: yaml.Node, text: str) -> None:
        """Put another value in the place of one."""
        self._edits.append((self._index(node.start_mark), self._index(_end(node)), text))

    def change_entries(self, mapping: yaml.MappingNode, gone: set[str], new: Mapping[str, Any]) -> None:
        """Take entries out of a mapping and put new ones behind its last, in its style."""
        texts = [f"{yaml_text(name)}: {yaml_text(value)}" for name, value in new.items()]
        if mapping.flow_style or not mapping.value:
            self._change_in_brackets(mapping, gone, ", ".join(texts))
        else:
            self._change_lines(mapping, gone, texts)

    def _change_in_brackets(self, mapping: yaml.MappingNode, gone: set[str], new: str) -> None:
        entries = mapping.value
        kept = [entry for entry in entries if entry[0].value not in gone]
        if not kept:
            self._edits.append((self._index(mapping.start_mark) + 1, self._index(mapping.end_mark) - 1, new))
            return
        if entries[0] is not kept[0]:
            self._edits.append((self._begin(entries[0]), self._begin(kept[0]), ""))
        for one, following in pairwise(kept):
            if entries.index(following) > entries.index(one) + 1:
                self._edits.append((self._end(one), self._begin(following), ", "))
        if new or kept[-1] is not entries[-1]:
            self._edits.append((self._end(kept[-1]), self._end(entries[-1]), f", {new}" if new else ""))

    def _change_lines(self, mapping: yaml.MappingNode, gone: set[str], new: list[str]) -> None:
        for key, value in mapping.value:
            if key.value in gone:
                self._edits.append((self._lines[key.start_mark.line], self._lines[_end(value).line + 1], ""))
        if new:
            key, value = mapping.value[-1]
            at = self._lines[_end(value).line + 1]
            before = "" if self.source[:at].endswith("\n") else "\n"
            indent = " " * key.start_mark.column
            self._edits.append((at, at, before + "".join(f"{indent}{text}\n" for text in new)))

    def _begin(self, entry: tuple[yaml.Node, yaml.Node]) -> int:
        return self._index(entry[0].start_mark)

    def _end(self, entry: tuple[yaml.Node, yaml.Node]) -> int:
        return self._index(_end(entry[1]))

    def text(self) -> str:
        """The text with all changes made."""
        parts, at = [], 0
        for begin, end, instead in sorted(self._edits, key=lambda edit: edit[:2]):
            parts += [self.source[at:begin], instead]
            at = end
        return "".join([*parts, self.source[at:]])

    def _index(self, mark: yaml.Mark) -> int:
        return self._lines[mark.line] + mark.column


def _entry(mapping: yaml.Node, name: str) -> tuple[yaml.ScalarNode, Any] | None:
    assert isinstance(mapping, yaml.MappingNode)
    return next((entry for entry in mapping.value if entry[0].value == name), None)


def _end(node: yaml.Node) -> yaml.Mark:
    """Where a node ends. A group without brackets ends with its last entry, not where the next one begins."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return node.end_mark
