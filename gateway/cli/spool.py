"""`edge-gateway spool`: what waits on disk. Looking is always allowed, purging only without a gateway."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from errno import EBUSY
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.spool_export import FORMATS
from gateway.cli.state_folder import SERVICE_CONFIGURATION, NoStateFolder, add_state_option, state_folder
from gateway.config.load import load
from gateway.model import iso_time
from gateway.outbox.stock import Stock, purge

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from typing import TextIO

    Action = Callable[[argparse.Namespace, Stock], int]

FOLDER: Final = "spool"
"""The spool's folder in the state folder."""

_DAY_S: Final = 86_400
_UNITS: Final = ((_DAY_S, "d"), (3600, "h"), (60, "min"), (1, "s"))


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway`."""
    parser = commands.add_parser(
        "spool",
        help="show, list, export or purge what waits on disk for the broker",
        description="Everything but purge works beside a running gateway, and changes nothing.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    show = _verb(verbs, "show", _show, "how much waits, how old it is, how fast it grows")
    show.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    listing = _verb(verbs, "list", _list, "the files, with what is in them")
    listing.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    export = _verb(verbs, "export", _export, "write what waits to a file; it goes on waiting")
    export.add_argument(
        "--format", choices=sorted(FORMATS), default="jsonl", help="jsonl: as published; csv: a row a value"
    )
    export.add_argument("--out", metavar="FILE", type=Path, help="a new file (standard output)")
    purge = _verb(verbs, "purge", _purge, "delete what waits; it is counted in gap records")
    purge.add_argument("--yes", action="store_true", help="do it, without asking")


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, action: Action, text: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text)
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=SERVICE_CONFIGURATION, help="configuration (%(default)s)"
    )
    add_state_option(parser)
    parser.set_defaults(main=main, action=action)
    return parser


def main(args: argparse.Namespace) -> int:
    """Returns 0 where it was done, 1 where the spool cannot be read or is in use, 2 where the folder is not known."""
    configuration = None if args.state else load(args.folder).configuration
    try:
        folder = state_folder(args.state, args.folder, configuration) / FOLDER
    except NoStateFolder as error:
        return _refused(2, str(error))
    try:
        code: int = args.action(args, Stock(folder))
    except FileNotFoundError as error:
        return _refused(
            1, f"no spool in {error.filename}: no gateway ran with this state folder; name its --state FOLDER"
        )
    except OSError as error:
        if error.errno == EBUSY:
            return _refused(1, "not purged: a gateway works on the spool; stop it first")
        return _refused(1, f"the spool in {folder} cannot be used: {error.strerror or error}; try sudo")
    return code


def _show(args: argparse.Namespace, stock: Stock) -> int:
    told = _summary(stock)
    if args.json:
        sys.stdout.write(json.dumps(told) + "\n")
        return 0
    age = "" if told["age_s"] is None else f", {_duration(told['age_s'])} ago"
    rows = [
        ("in use", "by a running gateway" if told["in_use"] else "no"),
        ("waiting", f"{told['waiting']} batches and records of the gateway"),
        ("size", f"{told['bytes'] / 1e6:.1f} MB in {told['files']} files"),
        ("oldest", f"{told['oldest'] or '-'}{age}"),
        ("newest", told["newest"] or "-"),
        (
            "rate",
            "-" if told["rate"] is None else f"{told['rate']:.3g} a second, {told['bytes_a_day'] / 1e6:.3g} MB a day",
        ),
        ("gaps", f"{told['gaps']} to be told"),
    ]
    if told["aside"]:
        rows.append(("aside", f"{len(told['aside'])} files of another format, left as they are"))
    sys.stdout.writelines(f"{name:<9}{text}\n" for name, text in rows)
    return 0


def _summary(stock: Stock) -> dict[str, Any]:
    shelves, oldest, newest = stock.shelves(), stock.oldest, stock.newest
    waiting = sum(shelf.waiting for shelf in shelves)
    written = sum(shelf.entries for shelf in shelves)
    span_s = (newest - oldest) / 1e9 if oldest and newest and newest > oldest else None
    return {
        "in_use": stock.is_in_use,
        "waiting": waiting,
        "bytes": stock.size,
        "files": len(shelves),
        "oldest": oldest and iso_time(oldest),
        "newest": newest and iso_time(newest),
        "age_s": None if oldest is None else round(time.time() - oldest / 1e9, 1),
        "rate": None if span_s is None else waiting / span_s,
        "bytes_a_day": None if span_s is None else round(stock.size * (waiting / written) * _DAY_S / span_s),
        "gaps": stock.gaps,
        "aside": stock.aside,
    }


def _list(args: argparse.Namespace, stock: Stock) -> int:
    shelves = stock.shelves()
    if args.json:
        rows = [
            {"made": iso_time(s.made), **{key: getattr(s, key) for key in ("file", "size", "entries", "waiting")}}
            for s in shelves
        ]
        sys.stdout.write(json.dumps({"files": rows, "aside": stock.aside}) + "\n")
        return 0
    sys.stdout.write(f"{'made':<24}  {'KB':>6}  {'entries':>7}  {'waiting':>7}  file\n")
    for shelf in shelves:
        numbers = f"{shelf.size // 1000:>6}  {shelf.entries:>7}  {shelf.waiting:>7}"
        sys.stdout.write(f"{iso_time(shelf.made):<24}  {numbers}  {shelf.file.partition('-')[0]}\n")
    sys.stdout.writelines(f"another format, left as it is: {file}\n" for file in stock.aside)
    return 0


def _export(args: argparse.Namespace, stock: Stock) -> int:
    try:
        with _opened(args.out) as out:
            count = FORMATS[args.format](stock.entries(), out)
    except FileExistsError:
        return _refused(2, f"{args.out} is there already: name a new file")
    sys.stderr.write(f"{count} batches and records exported; they go on waiting\n")
    return 0


@contextmanager
def _opened(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        yield sys.stdout
        return
    with file.open("x", encoding="utf-8", newline="") as out:
        yield out


def _purge(args: argparse.Namespace, stock: Stock) -> int:
    waiting = stock.waiting
    if not args.yes and not _agreed(waiting):
        return _refused(2, f"not purged: {waiting} batches and records would be lost; say --yes, or export them first")
    sys.stdout.write(f"{purge(stock.folder)} batches and records deleted; the next start tells it in gap records\n")
    return 0


def _agreed(waiting: int) -> bool:
    """Ask, where somebody is there to answer."""
    if not sys.stdin.isatty():
        return False
    sys.stdout.write(f"{waiting} batches and records will be lost. Type yes to go on: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == "yes"


def _refused(code: int, why: str) -> int:
    sys.stderr.write(f"edge-gateway: {why}\n")
    return code


def _duration(seconds: float) -> str:
    """`3 h 12 min`: the two largest units."""
    words: list[str] = []
    rest = max(round(seconds), 0)
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        words += [f"{count} {unit}"] if count or (unit == "s" and not words) else []
    return " ".join(words[:2])
