"""The tables of tags that connection files name with `tags_file`, put in their place among the other tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.document import Document, Node
from gateway.config.problems import Problem, Severity, did_you_mean, quoted
from gateway.config.tag_table import read_tags
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from gateway.config.files import Source


def named_tables(document: Document) -> set[str]:
    """The names of the tables that the devices of a connection file name."""
    named = [device.children.get("tags_file") for device in _devices(document)]
    return {str(node.value) for node in named if node is not None}


def with_tables(document: Document, tables: Mapping[str, Source | None], tag: type[BaseModel]) -> None:
    """Put the rows of the tables that a connection file names among its tags, as if they stood in the file.

    Args:
        document: the connection file; its nodes and its problems grow.
        tables: the CSV files beside it, by name; None for one that cannot be read, which is told already.
        tag: the driver's model of a tag.
    """
    for device in _devices(document):
        named = device.children.get("tags_file")
        if named is None or named.refused or not isinstance(named.value, str):
            continue
        if named.value not in tables:
            document.problems.append(_no_table(document, named, tables))
        source = tables.get(named.value)
        table = read_tags(source, tag) if source else None
        if table is not None:
            document.problems.extend(table.problems)
        if table is None or table.tags is None:
            named.refused = device.refused = True
        else:
            _add(document, device, table.tags)


def unused_tables(tables: Mapping[str, Source | None], documents: Sequence[Document]) -> list[Problem]:
    """A warning for each table that no device names; none where a file cannot be read, since it may name it."""
    if any(document.root is None for document in documents):
        return []
    used = set().union(*map(named_tables, documents))
    hint = "write `tags_file: {}` at its device, or delete it"
    return [
        Problem(
            source.name, 0, 0, "no device names this table", Severity.WARNING, hint.format(name), Code.FILE_NOT_USED
        )
        for name, source in tables.items()
        if source is not None and name not in used
    ]


def _devices(document: Document) -> list[Node]:
    devices = document.root.children.get("devices") if document.root else None
    return [] if devices is None else [node for node in devices.children.values() if isinstance(node.value, dict)]


def _no_table(document: Document, named: Node, tables: Mapping[str, Source | None]) -> Problem:
    text = f"tags_file names {quoted(named.value)}, but no such table stands beside this file"
    names = ", ".join(sorted(tables)[:5])
    hint = did_you_mean(str(named.value), tables) or (f"there are {names}" if names else "save it there as NAME.csv")
    return document.problem(named.place, text, hint, Code.TABLE)


def _add(document: Document, device: Node, tags: Mapping[str, Node]) -> None:
    group = device.children.get("tags")
    if group is None:
        key_place = device.children["tags_file"].key_place
        group = Node({}, key_place, key_place)
        device.children["tags"] = group
        assert isinstance(device.value, dict)
        device.value["tags"] = group.value
    if not isinstance(group.value, dict):
        return
    for name, node in tags.items():
        if name in group.children:
            first = group.children[name].key_place.line
            text = f"the tag {quoted(name)} stands in {document.file}:{first} as well"
            document.problems.append(document.problem(node.key_place, text, code=Code.TABLE_ROW))
        else:
            group.children[name] = node
            group.value[name] = node.value
