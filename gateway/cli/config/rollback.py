"""`edge-gateway config rollback N`: the files of an earlier configuration, put back in place."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.cli.config.history import add_folder_options, history_of
from gateway.cli.state_folder import NoStateFolder
from gateway.config.files import read_folder
from gateway.config.history import HistoryError, changed_files
from gateway.config.load import digest_of, load
from gateway.config.trial import write

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from gateway.config.history import Files, History


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway config`."""
    parser = commands.add_parser(
        "rollback",
        help="put the files of an earlier configuration back in place",
        description="What stands in the folder now is kept in the history first, so that nothing is lost. The running "
        "gateway takes the files over with `edge-gateway reload`.",
    )
    parser.add_argument("number", metavar="N", type=int, help="see `edge-gateway config history`")
    add_folder_options(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Returns 0 where the files are back, 1 where they could not be had or written, 2 where they have mistakes now."""
    try:
        history = history_of(args)
        said = _roll_back(history, args.config, history.files(args.number), args.number)
    except (NoStateFolder, HistoryError, OSError) as error:
        sys.stderr.write(f"not rolled back: {error}\n")
        return 1
    errors = load(args.config).errors
    sys.stdout.writelines(f"{line}\n" for line in [*map(str, errors), said])
    return 2 if errors else 0


def _roll_back(history: History, folder: Path, files: Files, number: int) -> str:
    present = {source.name: source.content for source in read_folder(folder).sources()}
    changed = changed_files(present, files)
    if not changed:
        return f"nothing to do: {folder} holds configuration {number} already"
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    history.keep(present, digest_of(present), now, "rollback")
    write(folder, files)
    for name in present.keys() - files.keys():
        (folder / name).unlink()
    return f"{folder} holds configuration {number} again ({', '.join(changed)}); next: edge-gateway reload {folder}"
