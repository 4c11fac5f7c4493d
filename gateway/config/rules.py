"""What holds between keys, between tags and between files, beyond what the models can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.config.problems import Problem, Severity, coded, quoted
from gateway.config.processing_rules import processing_rules, tags_rules
from gateway.config.state_rules import state_rules
from gateway.connection import RESERVED_NAMES
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.config.document import Document, Place, Step
    from gateway.config.schema import Connection
    from gateway.connection import ValueConfig

_STEP_OF_BOOL = 1
"""From false to true, as the deadband measures it."""


@dataclass(frozen=True)
class Checked:
    """A connection whose file fits the models, with that file."""

    connection: Connection
    document: Document
    claims: frozenset[str]
    """What the connection takes for itself, in its driver's words."""


def rules_of_one(checked: Checked) -> Iterator[Problem]:
    """What is wrong in one connection file by itself."""
    for key, text, hint in checked.connection.config.doubts():
        yield checked.document.problem(
            checked.document.value_place((key,)), text, hint, Code.DOUBTFUL_SETTING, severity=Severity.WARNING
        )
    for device_name, device in checked.connection.config.devices.items():
        yield from reserved(checked.document, ("devices", device_name))
        for tag_name, tag in device.tags.items():
            steps = ("devices", device_name, "tags", tag_name)
            yield from reserved(checked.document, steps)
            yield from value_rules(checked.document, steps, tag)
        steps_of_all = ("devices", device_name, "tags")
        yield from coded(tags_rules(checked.document, steps_of_all, device.tags), Code.PROCESSING)


def rules_of_all(connections: Sequence[Checked]) -> Iterator[tuple[Checked, Problem]]:
    """What is wrong between connection files: the later file has the problem, its text names the earlier one."""
    owners: dict[str, tuple[Checked, Place]] = {}
    for checked in connections:
        for what, place in _owned(checked):
            first = owners.setdefault(what, (checked, place))
            if first[0] is not checked:
                where = f"{first[0].document.file}:{first[1].line}"
                yield (
                    checked,
                    checked.document.problem(place, f"{what} is already taken in {where}", code=Code.TAKEN_TWICE),
                )


def _owned(checked: Checked) -> Iterator[tuple[str, Place]]:
    connection, document = checked.connection, checked.document
    for name in connection.config.devices:
        yield f"the device name {quoted(name)}", document.key_place(("devices", name))
    for claim in sorted(checked.claims):
        yield claim, document.value_place((_claiming_key(document, claim),))


def _claiming_key(document: Document, claim: str) -> str:
    """The key at the top of the file whose value is part of the claim; `driver` where there is none."""
    children = document.root.children if document.root else {}
    texts = {str(key): str(node.value).lower() for key, node in children.items() if not node.children}
    del texts["version"]
    return next((key for key, text in texts.items() if text in claim.lower()), "driver")


def reserved(document: Document, steps: Sequence[Step]) -> Iterator[Problem]:
    """Whether a name is one that the gateway needs for itself."""
    if steps[-1] in RESERVED_NAMES:
        text = f"{quoted(steps[-1])} cannot be a name: it is a topic of the gateway itself"
        yield document.problem(document.key_place(steps), text, code=Code.BAD_NAME)


def value_rules(document: Document, steps: Sequence[Step], tag: ValueConfig) -> Iterator[Problem]:
    """What is wrong with the keys of one tag, read or calculated, that the steps lead to."""
    yield from coded(_tag_rules(document, steps, tag), Code.CONTRADICTION)
    yield from coded(processing_rules(document, steps, tag), Code.PROCESSING)
    yield from coded(state_rules(document, steps, tag), Code.STATES)


def _tag_rules(document: Document, steps: Sequence[Step], tag: ValueConfig) -> Iterator[Problem]:
    data_type = tag.data_type()
    for key, text, hint in tag.doubts():
        yield document.problem(
            document.value_place((*steps, key)), text, hint, Code.DOUBTFUL_SETTING, severity=Severity.WARNING
        )
    if tag.range is not None and tag.range[0] > tag.range[1]:
        text = f"range must begin with its lowest value, but {tag.range[0]:g} is above {tag.range[1]:g}"
        yield document.problem(document.value_place((*steps, "range")), text)
    if tag.scale == 0:
        yield document.problem(document.value_place((*steps, "scale")), "scale 0 would make all values the same")
    if data_type == "bool" and tag.deadband is not None and tag.deadband >= _STEP_OF_BOOL:
        text = "a deadband of 1 or more would hold back every change of a bool"
        yield document.problem(document.value_place((*steps, "deadband")), text, "write 0 to send every change")
