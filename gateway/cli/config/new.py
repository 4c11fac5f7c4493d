"""`edge-gateway config new`: a few questions, and a connection file that `check` accepts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.state_folder import SERVICE_CONFIGURATION
from gateway.config.connection_file import Beside, Drivers, check_connection
from gateway.config.draft import Asked, Draft, answered, asked
from gateway.config.files import CONNECTIONS_FOLDER, Source
from gateway.config.profiles import Profiles
from gateway.config.trial import write
from gateway.registry import driver_names, driver_spec

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from gateway.config.problems import Problem

_WIDTH: Final = 78
_NO_MORE: Final = ""


class _GivenUp(Exception):  # noqa: N818 - it never leaves this module
    """The answers ended."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway config`."""
    parser = commands.add_parser(
        "new",
        help="write a new connection file from a few questions",
        description="Asks for what cannot be guessed and writes connections/NAME.yaml, with the meaning of each key "
        "beside it. Nothing is written over. Enter takes what stands in brackets.",
    )
    parser.add_argument("name", metavar="NAME", help="name of the connection, such as press-hall")
    parser.add_argument("driver", metavar="DRIVER", choices=driver_names(), help="%(choices)s")
    parser.add_argument(
        "--config", metavar="DIR", type=Path, default=SERVICE_CONFIGURATION, help="default: %(default)s"
    )
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Returns 0 where a file was written, 1 where the answers ended before, 2 where there is a file already."""
    name = f"{CONNECTIONS_FOLDER}/{args.name}.yaml"
    if (args.config / name).exists():
        sys.stderr.write(f"{args.config / name} is there already; nothing was written\n")
        return 2
    try:
        draft = _Interview(Draft(driver_spec(args.driver)), name).held()
    except _GivenUp:
        sys.stderr.write("\nthe answers ended; nothing was written\n")
        return 1
    write(args.config, {name: draft.text().encode()})
    sys.stdout.write(f"{args.config / name} is written; next: edge-gateway check {args.config}\n")
    return 0


class _Interview:
    """Asks until the file would be accepted."""

    def __init__(self, draft: Draft, name: str) -> None:
        self._draft = draft
        self._name = name

    def held(self) -> Draft:
        """All questions answered, and nothing against the file."""
        draft = self._draft
        self._level("connection", draft.connection)
        draft.device_name = _ask(Asked("device", "Name of the device, such as press-12.", None, (), needed=True))
        self._level("device", draft.device)
        self._tags()
        return draft

    def _level(self, of: str, answers: dict[str, Any]) -> None:
        """The questions of one level, again as long as the check has something against an answer."""
        while True:
            answers.clear()
            for question in self._draft.questions(of):
                text = _ask(question)
                if text:
                    answers[question.key] = answered(self._draft.model(of), question.key, text)
            problems = self._problems(answers)
            if not problems:
                return
            _tell(problems)

    def _tags(self) -> None:
        while True:
            more = "" if not self._draft.tags else " Enter ends."
            needed = not self._draft.tags
            name = _ask(Asked("tag", f"Name of a tag, such as oil_temperature.{more}", None, (), needed=needed))
            if name == _NO_MORE:
                return
            self._tag(name)

    def _tag(self, name: str) -> None:
        """One tag; it is forgotten, and asked for again, where the check has something against it."""
        tag = self._draft.tags[name] = {}
        model = self._draft.model("tag")
        questions = [asked(model, "address"), *self._draft.questions("tag"), asked(model, "unit")]
        for question in questions:
            text = _ask(question)
            if text:
                tag[question.key] = answered(model, question.key, text)
        problems = self._problems(self._draft.tags)
        if problems:
            del self._draft.tags[name]
            _tell(problems)

    def _problems(self, so_far: dict[str, Any]) -> list[Problem]:
        """What the check says of the file as it would be; before there are tags, only of what was asked."""
        text = self._draft.text()
        source = Source(Path(self._name), self._name, text.encode(), text)
        problems = check_connection(source, Drivers(driver_spec, driver_names()), Beside({}, Profiles({}))).problems
        if so_far is self._draft.tags:
            return problems
        lines = {number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(tuple(so_far))}
        return [problem for problem in problems if problem.line in lines]


def _ask(question: Asked) -> str:
    """The answer to one question; empty where the default will do."""
    sys.stdout.writelines(f"{line}\n" for line in _wrapped(question.text))
    if question.choices:
        sys.stdout.writelines(f"{line}\n" for line in _wrapped(f"One of: {', '.join(question.choices)}."))
    default = f" [{question.default}]" if question.default is not None else ""
    while True:
        sys.stdout.write(f"  {question.key}{default}: ")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise _GivenUp
        answer = line.strip()
        if answer or not question.needed:
            return answer
        sys.stdout.write("  this cannot be left out\n")


def _tell(problems: Iterable[Problem]) -> None:
    for problem in problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        sys.stdout.write(f"  ! {problem.text}{hint}\n")


def _wrapped(text: str) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > _WIDTH:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line
