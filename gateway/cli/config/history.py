"""`edge-gateway config history`: which configurations were taken over, when and why, and what each changed."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.state_folder import SERVICE_CONFIGURATION, NoStateFolder, add_state_option, state_folder
from gateway.config.history import History, HistoryError, changed_files, difference
from gateway.config.load import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from gateway.config.history import Accepted, Files

_FILES_WIDTH = 34


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway config`."""
    parser = commands.add_parser(
        "history",
        help="the configurations that were taken over; with a number, what that one changed",
        description="The gateway keeps the last 50 configurations that it took over.",
    )
    parser.add_argument("number", metavar="N", nargs="?", type=int, help="show what configuration N changed")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_folder_options(parser)
    parser.set_defaults(main=main)


def add_folder_options(parser: argparse.ArgumentParser) -> None:
    """Add `--config DIR` and `--state FOLDER`."""
    parser.add_argument(
        "--config", metavar="DIR", type=Path, default=SERVICE_CONFIGURATION, help="configuration (%(default)s)"
    )
    add_state_option(parser)


def history_of(args: argparse.Namespace) -> History:
    """The history of the gateway that these options name.

    Raises:
        NoStateFolder: they name none.
    """
    return History(state_folder(args.state, args.config, load(args.config).configuration))


def main(args: argparse.Namespace) -> int:
    """Print the list, or the change of one. Returns 0, or 1 where there is nothing to show."""
    try:
        history = history_of(args)
        lines = list(_one(history, args.number) if args.number is not None else _all(history, as_json=args.json))
    except (NoStateFolder, HistoryError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _all(history: History, *, as_json: bool) -> Iterator[str]:
    rows = list(_with_changes(history))
    if as_json:
        yield json.dumps([{**asdict(accepted), "files": changed} for accepted, changed in rows])
        return
    if not rows:
        yield f"no configuration is kept in {history.folder}; the gateway keeps each one that it takes over"
        return
    yield f"{'number':>6}  {'taken over':<20}  {'why':<12}  changed files"
    for accepted, changed in rows:
        when = accepted.time[:19].replace("T", " ") + "Z"
        yield f"{accepted.number:>6}  {when:<20}  {accepted.reason[:12]:<12}  {_cut(', '.join(changed))}"


def _with_changes(history: History) -> Iterator[tuple[Accepted, list[str]]]:
    before: Files = {}
    for accepted in history.entries():
        files = history.files(accepted.number)
        yield accepted, changed_files(before, files)
        before = files


def _one(history: History, number: int) -> Iterator[str]:
    files = history.files(number)
    earlier = [accepted.number for accepted in history.entries() if accepted.number < number]
    yield from difference(history.files(earlier[-1]) if earlier else {}, files)


def _cut(text: str) -> str:
    return text if len(text) <= _FILES_WIDTH else f"{text[: _FILES_WIDTH - 3]}..."
