"""`edge-gateway config csv`: the tags of a device to a spreadsheet and back; only edited cells change."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.config.history import add_folder_options
from gateway.config.csv_text import BYTE_ORDER_MARK, SEMICOLON, Style, table_text
from gateway.config.device_files import NoSuchDevice, device_files
from gateway.config.files import read_file, read_folder
from gateway.config.models import keys_at
from gateway.config.table_import import import_table, problems_of_table
from gateway.config.tag_table import read_tags
from gateway.config.trial import try_out, write

if TYPE_CHECKING:
    import argparse

    from gateway.config.problems import Problem
    from gateway.config.table_import import Import


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `csv export` and `csv import` to the commands of `edge-gateway config`."""
    parser = commands.add_parser("csv", help="the tags of a device to a spreadsheet, and back")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_export(group)
    _add_import(group)


def _add_export(group: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = group.add_parser("export", help="write the tags of a device as a table")
    parser.add_argument("device", metavar="DEVICE")
    parser.add_argument("--to", metavar="FILE", type=Path, help="default: standard output")
    parser.add_argument(
        "--decimal-comma", action="store_true", help="write 0,1 and semicolons, as spreadsheets of many countries do"
    )
    add_folder_options(parser)
    parser.set_defaults(main=export)


def _add_import(group: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = group.add_parser(
        "import",
        help="bring an edited table back into the files",
        description="Only what differs is changed; comments stay. A missing column says nothing, an empty cell takes "
        "its key away, a missing row its tag. With a mistake in the table nothing is changed.",
    )
    parser.add_argument("device", metavar="DEVICE")
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    add_folder_options(parser)
    parser.set_defaults(main=import_)


def export(args: argparse.Namespace) -> int:
    """Returns 0, or 2 where there is no such device."""
    try:
        device = device_files(args.config, args.device)
    except NoSuchDevice as error:
        sys.stderr.write(f"{error}\n")
        return 2
    style = SEMICOLON if args.decimal_comma else Style()
    text = BYTE_ORDER_MARK + table_text(device.tags, keys_at(device.spec.tag, ()), style)
    if args.to is None:
        sys.stdout.write(text.removeprefix(BYTE_ORDER_MARK))
        return 0
    args.to.write_bytes(text.encode())
    sys.stdout.write(f"{len(device.tags)} tags of {device.name} in {args.to}\n")
    return 0


def import_(args: argparse.Namespace) -> int:
    """Returns 0, or 2 where the device, the table or what would come of it is not good."""
    problems: list[Problem] = []
    source = read_file(args.file, os.fspath(args.file), problems)
    try:
        device = device_files(args.config, args.device)
    except NoSuchDevice as error:
        sys.stderr.write(f"{error}\n")
        return 2
    table = None if source is None else read_tags(source, device.spec.tag)
    problems += table.problems if table else []
    if table is not None and table.tags is not None and not problems:
        problems += problems_of_table(device, table)
    if table is None or problems:
        return _refused(problems)
    outcome = import_table(device, table)
    present = {one.name: one.content for one in read_folder(args.config).sources()}
    errors = list(try_out(present | outcome.files, args.config).errors)
    if errors:
        return _refused(errors)
    if not args.dry_run:
        write(args.config, outcome.files)
    _tell(outcome, dry_run=args.dry_run)
    return 0


def _refused(problems: list[Problem]) -> int:
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    sys.stdout.write("nothing was changed: mend these first\n")
    return 2


def _tell(outcome: Import, *, dry_run: bool) -> None:
    sys.stdout.writelines(f"{difference}\n" for difference in outcome.differences)
    if not outcome.differences:
        sys.stdout.write("nothing differs\n")
    else:
        sys.stdout.write(f"{'would change' if dry_run else 'changed'} {', '.join(sorted(outcome.files))}\n")
