"""What is wrong with a configuration, where it stands, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_PROBLEMS: Final = 50
"""More problems of one file than a technician reads; solving the first ones often solves the others."""

_SHOWN_LENGTH = 60
"""Characters of a technician's own text that a message repeats; the line and column lead to the rest."""


class Severity(StrEnum):
    """Whether the file can be used as it is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    """Nothing is wrong, and somebody may wonder."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one place of one file."""

    file: str
    """Path as it is shown: relative to the configuration folder."""
    line: int
    """Counted from 1; 0 where the file as a whole is meant."""
    column: int
    """Counted from 1, in characters; 0 where the file as a whole is meant."""
    text: str
    """What is wrong, for a technician; one line."""
    severity: Severity = Severity.ERROR
    hint: str | None = None
    """What to write instead, where that can be said shortly."""
    code: str = ""
    """Its entry in the vocabulary of errors, such as `E-CFG-020`."""

    def __str__(self) -> str:
        """`connections/press-hall.yaml:14:9: unknown key 'adress' (did you mean 'address'?) [E-CFG-020]`."""
        return f"{self.sentence} [{self.code}]" if self.code else self.sentence

    @property
    def sentence(self) -> str:
        """The same without the code."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        severity = "" if self.severity is Severity.ERROR else f"{self.severity}: "
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {severity}{self.text}{hint}"


def coded(problems: Iterable[Problem], code: str) -> Iterator[Problem]:
    """The problems, those without a code of their own with this one."""
    return (problem if problem.code else replace(problem, code=code) for problem in problems)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems as they are shown: by file, line and column, none twice, at most `MOST_PROBLEMS` of one file."""
    shown: list[Problem] = []
    for _, of_file in groupby(sorted(set(problems), key=_place), key=attrgetter("file")):
        first, rest = _cut(list(of_file))
        shown += [*first, *rest]
    return tuple(shown)


def _cut(of_file: list[Problem]) -> tuple[list[Problem], list[Problem]]:
    """The problems that are shown of one file, and one that stands for all others, as bad as the worst of them."""
    shown, rest = of_file[:MOST_PROBLEMS], of_file[MOST_PROBLEMS:]
    if not rest:
        return shown, []
    severity = min((problem.severity for problem in rest), key=list(Severity).index)
    text = f"{len(rest)} more problems of this file follow from here"
    return shown, [replace(rest[0], text=text, severity=severity, hint=None)]


def _place(problem: Problem) -> tuple[str, int, int, str]:
    return problem.file, problem.line, problem.column, problem.text


def quoted(text: object) -> str:
    """A technician's own text as a message repeats it: in quotes, on one line, cut where it is long."""
    whole = str(text)
    return repr(whole if len(whole) <= _SHOWN_LENGTH else whole[: _SHOWN_LENGTH - 3] + "...")


def did_you_mean(text: str, valid: Iterable[str]) -> str | None:
    """The hint that names the valid word nearest to `text`; None where none is near."""
    near = nearest(text, valid)
    return f"did you mean {quoted(near)}?" if near is not None else None


def nearest(text: str, valid: Iterable[str]) -> str | None:
    """The valid word nearest to `text`; None where none is near."""
    near = get_close_matches(text.lower(), list(valid), n=1)
    return near[0] if near else None
