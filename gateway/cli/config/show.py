"""`edge-gateway config show`: the configuration that is in force, each value with its origin."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.state_folder import SERVICE_CONFIGURATION
from gateway.config.effective import effective
from gateway.config.scalars import is_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from gateway.config.effective import Effective

_VALUE_WIDTH = 52


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway config`."""
    parser = commands.add_parser(
        "show",
        help="each value that is in force, and where it comes from",
        description="Shows what the files come to, defaults included. Secrets are shown by their names only.",
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=SERVICE_CONFIGURATION, help="default: %(default)s"
    )
    parser.add_argument("--only", metavar="TEXT", default="", help="only keys that contain TEXT, such as a tag's name")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Returns 0, or 2 where no file of the folder can be used."""
    values = [value for value in effective(args.folder) if args.only in f"{value.file} {value.key}"]
    if not values:
        sys.stderr.write(f"nothing to show; `edge-gateway check {args.folder}` tells what is wrong\n")
        return 2
    if args.json:
        rows = [{"file": v.file, "key": v.key, "value": v.value, "origin": v.origin} for v in values]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(values))
    return 0


def _lines(values: Iterable[Effective]) -> Iterator[str]:
    for number, (file, in_file) in enumerate(groupby(values, key=attrgetter("file"))):
        if number:
            yield ""
        yield file
        for heading, group in groupby(in_file, key=_heading):
            if heading:
                yield f"  {heading}"
            for value in group:
                written = f"{'    ' if heading else '  '}{value.key.removeprefix(heading + '.')}: {_text(value.value)}"
                yield f"{written:<{_VALUE_WIDTH}}  {_short(value.origin, file)}"


def _heading(value: Effective) -> str:
    """The device or tag that the value is of; empty where it is of the file as a whole."""
    path = value.path
    if path[0] != "devices":
        return ""
    return ".".join(str(step) for step in (path[:4] if path[2:3] in {("tags",), ("windows",)} else path[:2]))


def _text(value: Any) -> str:
    """The value as the file would say it; JSON is YAML where it is not plain text."""
    return value if isinstance(value, str) and is_text(value) else json.dumps(value, ensure_ascii=False)


def _short(origin: str, file: str) -> str:
    """The origin without the file's name where that stands above already."""
    return f"line {origin.removeprefix(f'{file}:')}" if origin.startswith(f"{file}:") else origin
