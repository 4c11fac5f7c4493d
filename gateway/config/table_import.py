"""A table of tags that came back from a spreadsheet, brought into the files of its device; only differences change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.config.csv_text import Style, cell_text, flat, row_text
from gateway.config.document import TOP, Document, Node
from gateway.config.messages import fit
from gateway.config.tag_table import NAME, read_tags
from gateway.config.yaml_edit import REMOVED, Removed, edited
from gateway.config.yaml_positions import compose
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.config.device_files import DeviceFiles
    from gateway.config.problems import Problem
    from gateway.config.tag_table import TagTable


class Difference(NamedTuple):
    """One cell that differs, or a tag that is new or gone (with an empty column)."""

    tag: str
    column: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """`speed.scale: 0.1 -> 0.2`."""
        if not self.column:
            return f"{self.tag}: {'new' if self.before is None else 'gone'}"
        before, after = (
            "-" if value is None else cell_text(value, decimal_comma=False) for value in (self.before, self.after)
        )
        return f"{self.tag}.{self.column}: {before} -> {after}"


@dataclass
class Import:
    """What a table changes."""

    differences: list[Difference] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """The changed files by their path in the configuration folder."""


def import_table(device: DeviceFiles, table: TagTable) -> Import:
    """Bring a table into the files of its device.

    A column that the table lacks says nothing of its key; an empty cell takes the key away; a missing row the tag.

    Args:
        device: the device and the files that its tags stand in.
        table: free of problems.
    """
    assert table.tags is not None
    new = {name: flat(_group(node.value)) for name, node in table.tags.items()}
    columns = [".".join(column.steps) for column in table.columns]
    outcome = Import(list(_differences(device, new, columns)))
    changes: dict[str, dict[str, Any] | Removed] = {}
    for name in dict.fromkeys(difference.tag for difference in outcome.differences):
        changes[name] = _changed_keys(device.tags.get(name, {}), new[name], columns) if name in new else REMOVED
    in_table = {name for name in changes if name in device.table_tags or (name not in device.tags and device.table)}
    _edit_yaml(outcome, device, {name: keys for name, keys in changes.items() if name not in in_table})
    _edit_table(outcome, device, {name: keys for name, keys in changes.items() if name in in_table})
    return outcome


def profile_problems(device: DeviceFiles, table: TagTable) -> list[Problem]:
    """What the table takes away that the profile of the device says: neither its tags nor its keys can go."""
    assert table.tags is not None
    document = Document(device.source.name, None)
    top = next(iter(table.rows.values())).cells[0].place if table.rows else TOP
    columns = {".".join(column.steps) for column in table.columns}
    problems = []
    for name in dict.fromkeys(tag for tag, _ in device.from_profile):
        if name not in table.tags:
            text = f"{name} comes from the profile and cannot be deleted here; take it out of `pick`"
            problems.append(document.problem(top, text, code=Code.PROFILE))
    for name, key in sorted(device.from_profile):
        node = table.tags.get(name)
        if node is not None and key in columns and key not in node.children:
            text = f"{key} of {name} comes from the profile and cannot be left empty"
            problems.append(document.problem(node.place, text, code=Code.PROFILE))
    return problems


def problems_of_table(device: DeviceFiles, table: TagTable) -> list[Problem]:
    """What the profile and the driver's models say of the tags as the table would make them, each at its cell."""
    assert table.tags is not None
    document = compose(device.source.text, device.source.name)
    node = document.node(("devices", device.name))
    group = Node({}, node.place, node.key_place)
    columns = {column.steps[0] for column in table.columns}
    for name, tag in table.tags.items():
        before = device.nodes.get(name)
        kept = {key: child for key, child in before.children.items() if key not in columns} if before else {}
        tag.children = {**kept, **tag.children}
        tag.value = {key: child.value for key, child in tag.children.items()}
        group.children[name] = tag
    group.value = {name: tag.value for name, tag in group.children.items()}
    assert isinstance(node.value, dict)
    node.children["tags"], node.value["tags"] = group, group.value
    return [*profile_problems(device, table), *fit(device.spec.connection, document)[1]]


def _differences(device: DeviceFiles, new: Mapping[str, Mapping[str, Any]], columns: list[str]) -> Iterator[Difference]:
    for name in dict.fromkeys((*device.tags, *new)):
        if name not in new:
            yield Difference(name, "", name, None)
        elif name not in device.tags:
            yield Difference(name, "", None, name)
        else:
            before = flat(device.tags[name])
            for column in columns:
                if not _same(before.get(column), new[name].get(column)):
                    yield Difference(name, column, before.get(column), new[name].get(column))


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, bool) is not isinstance(after, bool):
        return False
    return before == after or (before == "" and after is None)


def _changed_keys(before: Mapping[str, Any], new: Mapping[str, Any], columns: list[str]) -> dict[str, Any]:
    """The keys of the tag that differ, each whole, with its new value; `REMOVED` for one that goes."""
    old = flat(before)
    changed: dict[str, Any] = {}
    for column in columns:
        if _same(old.get(column), new.get(column)):
            continue
        key, *inside = column.split(".")
        if not inside:
            changed[key] = new.get(column, REMOVED)
        else:
            group = dict(_group(changed.get(key, before.get(key, {}))))
            changed[key] = _with(group, inside, new.get(column)) or REMOVED
    return changed


def _with(group: dict[str, Any], steps: list[str], value: Any) -> dict[str, Any]:
    first, *rest = steps
    inner = _with(dict(_group(group.get(first, {}))), rest, value) if rest else value
    if inner in (None, {}):
        group.pop(first, None)
    else:
        group[first] = inner
    return group


def _group(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _edit_yaml(outcome: Import, device: DeviceFiles, changes: dict[str, dict[str, Any] | Removed]) -> None:
    if changes:
        text = edited(device.source.text, ("devices", device.name, "tags"), changes)
        outcome.files[device.source.name] = device.encoded(device.source, text)


def _edit_table(outcome: Import, device: DeviceFiles, changes: dict[str, dict[str, Any] | Removed]) -> None:
    """Write the rows of changed tags anew; all others stay as they are, byte for byte."""
    if not changes or device.table is None:
        return
    source = device.table
    table = read_tags(source, device.spec.tag)
    style = Style(table.sheet.separator, table.sheet.separator == ";", "\r\n" if "\r\n" in source.text else "\n")
    rows = {name: row for name, row in table.rows.items() if name in changes}
    edits = [(row.begin, row.end, _row(table, device, name, changes[name], style)) for name, row in rows.items()]
    added = "".join(_row(table, device, name, changes[name], style) for name in changes if name not in rows)
    text = source.text if source.text.endswith("\n") or not added else source.text + style.line_end
    for begin, end, instead in sorted(edits, reverse=True):
        text = text[:begin] + instead + text[end:]
    text += added
    outcome.files[source.name] = device.encoded(source, text)


def _row(table: TagTable, device: DeviceFiles, name: str, keys: dict[str, Any] | Removed, style: Style) -> str:
    if isinstance(keys, Removed):
        return ""
    merged = {key: value for key, value in (device.tags.get(name, {}) | keys).items() if not isinstance(value, Removed)}
    values = {(NAME,): name, **{tuple(column.split(".")): value for column, value in flat(merged).items()}}
    cells: list[Any] = [cell.text for cell in table.rows[name].cells] if name in table.rows else []
    cells += [""] * (table.width - len(cells))
    for column in table.columns:
        cells[column.position] = values.get(column.steps, "")
    return row_text(cells, style)
