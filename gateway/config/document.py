"""What a file says, with the place of every key and value. Knows nothing of the file's format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.config.problems import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Step = str | int
"""One step down into a document: the key of a mapping, or the position in a list."""


class Place(NamedTuple):
    """A place in a text; line and column are counted from 1."""

    line: int
    column: int
    file: str = ""
    """Path as it is shown, where the place is not in the document's own file but in a table that it names."""
    cell: str = ""
    """What a spreadsheet calls the place, such as `C14`; empty outside tables."""


TOP = Place(1, 1)


@dataclass(slots=True)
class Node:
    """One value of a document and where it stands."""

    value: object
    """The plain Python value: dict, list, str, int, float, bool or None."""
    place: Place
    key_place: Place
    """Where the key stands that holds the value; the value's own place in a list and at the top."""
    children: dict[Step, Node] = field(default_factory=dict)
    refused: bool = False
    """A problem of this value is told already; what a model says of it is no news."""
    doubtful: bool = False
    """A problem of one of its keys is told already; that a key is missing is no news."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file, as far as it can be understood."""

    file: str
    """Path as it is shown."""
    root: Node | None
    """None where the text cannot be read, or is no mapping; then there is at least one problem."""
    problems: list[Problem] = field(default_factory=list)

    def walk(self, steps: Sequence[Step]) -> Iterator[tuple[Step, Node]]:
        """The nodes on the way down, as far as they exist; a step that leads nowhere is passed over."""
        node = self.root
        for step in steps:
            child = node.children.get(step) if node else None
            if child:
                node = child
                yield step, child

    def node(self, steps: Sequence[Step]) -> Node:
        """The node that the steps lead to, or the deepest one that exists on the way."""
        assert self.root is not None, "a document without a root has no nodes"
        *_, last = (self.root, *(node for _, node in self.walk(steps)))
        return last

    def key_place(self, steps: Sequence[Step]) -> Place:
        """Where the key stands that the steps lead to, or the deepest one that exists on the way."""
        place = TOP
        for _, node in self.walk(steps):
            place = node.key_place
        return place

    def value_place(self, steps: Sequence[Step]) -> Place:
        """Where the value stands that the steps lead to; its key's place where it begins on a later line."""
        place = TOP
        for _, node in self.walk(steps):
            place = node.place if node.place.line == node.key_place.line else node.key_place
        return place

    def problem(
        self,
        place: Place,
        text: str,
        hint: str | None = None,
        code: str = "",
        *,
        severity: Severity = Severity.ERROR,
    ) -> Problem:
        """A problem of this file at a place."""
        where = f"cell {place.cell}: " if place.cell else ""
        return Problem(place.file or self.file, place.line, place.column, where + text, severity, hint, code)
