"""`edge-gateway explain E-CFG-020`: what an error code means and what to do about it."""

from __future__ import annotations

import json
import sys
from textwrap import wrap
from typing import TYPE_CHECKING

from gateway.config.errors import all_entries
from gateway.config.problems import nearest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from gateway.vocabulary import Entry

_WIDTH = 78
_INDENT = "          "


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway`."""
    parser = commands.add_parser(
        "explain", help="what an error code means, and what to do; without a code, all of them"
    )
    parser.add_argument("code", metavar="CODE", nargs="*", help="such as E-CFG-020")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Print the entries. Returns 0, or 2 where a code is not known."""
    entries = {entry.code: entry for entry in all_entries()}
    wanted = [code.upper() for code in args.code]
    unknown = [code for code in wanted if code not in entries]
    for code in unknown:
        near = nearest(code.lower(), (known.lower() for known in entries))
        hint = f"; did you mean {near.upper()}?" if near else ""
        sys.stderr.write(f"no error has the code {code}{hint}\n")
    chosen = [entries[code] for code in wanted if code in entries] if wanted else list(entries.values())
    if args.json:
        sys.stdout.write(json.dumps([entry._asdict() for entry in chosen]) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in (_whole(chosen) if wanted else _list(chosen)))
    return 2 if unknown else 0


def _list(entries: list[Entry]) -> Iterator[str]:
    for entry in entries:
        yield f"{entry.code:<10}  {entry.title}"


def _whole(entries: list[Entry]) -> Iterator[str]:
    for number, entry in enumerate(entries):
        if number:
            yield ""
        yield f"{entry.code}  {entry.title}"
        for name, text in (("why:", entry.cause), ("remedy:", entry.remedy)):
            yield from wrap(text, _WIDTH, initial_indent=f"{name:<{len(_INDENT)}}", subsequent_indent=_INDENT)
