"""`edge-gateway check`: every problem of all files in one run, without opening anything on a wire."""

from __future__ import annotations

import json
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.excerpt import excerpt
from gateway.config.derived_names import rests_on
from gateway.config.files import DERIVED_FILE
from gateway.config.load import LoadResult, load
from gateway.config.problems import Problem, Severity

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from gateway.config.derived import DerivedConfig
    from gateway.config.schema import Connection

DEFAULT_FOLDER: Final = Path("/etc/edge-gateway")

_WIDTH = 80
_COLUMNS = ("connection", "driver", "end point", "devices", "tags")
_WIDEST = (24, 12)
"""Most characters of a connection's name and of its driver's; the end point takes what is left."""
_LEFT_OUT = "left out, see above"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway`."""
    parser = subparsers.add_parser("check", help="check a configuration folder; tell every problem with file and line")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=DEFAULT_FOLDER, metavar="DIR", help=f"default: {DEFAULT_FOLDER}"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Check a folder. Returns 0 where it is good, warnings or not, and 2 where it has errors."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    result = load(args.folder)
    lines = [json.dumps(_as_json(result, args.folder), ensure_ascii=False)] if args.json else _report(result)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 2 if result.errors else 0


def _report(result: LoadResult) -> list[str]:
    connections = result.configuration.connections if result.configuration else ()
    lines = problem_lines(result)
    if connections:
        lines += [*([""] if lines else []), *_table(result, connections), ""]
    return [*lines, _verdict(result, connections)]


def problem_lines(result: LoadResult) -> list[str]:
    """Each problem with the line that it is about."""
    return [line for problem in result.problems for line in (str(problem), *excerpt(problem, result.files))]


def _verdict(result: LoadResult, connections: Sequence[Connection]) -> str:
    counts = ", ".join(_problem_counts(result.problems))
    if result.errors:
        return f"{counts} in {_count(len({problem.file for problem in result.problems}), 'file')}"
    devices = [device for connection in connections for device in connection.config.devices.values()]
    tags = sum(len(device.tags) for device in devices)
    what = f"{_count(len(connections), 'connection')}, {_count(len(devices), 'device')}, {_count(tags, 'tag')}"
    return f"{what}{_derived_counts(result)}: good{f', {counts}' if counts else ''}"


def _derived_counts(result: LoadResult) -> str:
    derived = result.configuration.derived if result.configuration else None
    return f", {_count(len(rests_on(derived)), 'derived tag')}" if derived else ""


def _problem_counts(problems: Sequence[Problem]) -> Iterator[str]:
    for severity in Severity:
        number = sum(problem.severity is severity for problem in problems)
        if number:
            yield _count(number, severity)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _table(result: LoadResult, connections: Sequence[Connection]) -> list[str]:
    used = {connection.name: _row(connection) for connection in connections}
    if result.configuration and result.configuration.derived:
        used[DERIVED_FILE] = _derived_row(result.configuration.derived)
    unused = {name: (name, "-", _LEFT_OUT, "-", "-") for name in result.left_out}
    rows = [row for _, row in sorted((used | unused).items())]
    widths = [max(len(row[column]) for row in (_COLUMNS, *rows)) for column in range(len(_COLUMNS))]
    widths[:2] = [min(width, widest) for width, widest in zip(widths, _WIDEST, strict=False)]
    spaces = 2 * (len(_COLUMNS) - 1)
    widths[2] = min(widths[2], _WIDTH - spaces - sum(widths) + widths[2])
    return [_line(row, widths) for row in (_COLUMNS, *rows)]


def _row(connection: Connection) -> tuple[str, ...]:
    devices = connection.config.devices
    tags = sum(len(device.tags) for device in devices.values())
    return connection.name, connection.spec.name, _end_point(connection), str(len(devices)), str(tags)


def _derived_row(derived: DerivedConfig) -> tuple[str, ...]:
    return DERIVED_FILE, "-", "worked out here", str(len(derived.devices)), str(len(rests_on(derived)))


def _end_point(connection: Connection) -> str:
    return ", ".join(sorted(connection.spec.claims(connection.config))) or "-"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    texts = [_cut(cell, width).ljust(width) for cell, width in zip(row[:3], widths, strict=False)]
    numbers = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
    return "  ".join([*texts, *numbers])


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _as_json(result: LoadResult, folder: Path) -> dict[str, Any]:
    configuration = result.configuration
    return {
        "folder": str(folder),
        "good": not result.errors,
        "digest": configuration.digest if configuration else None,
        "problems": [_problem_as_json(problem) for problem in result.problems],
        "connections": [_connection_as_json(one) for one in configuration.connections] if configuration else [],
        "derived_tags": len(rests_on(configuration.derived)) if configuration and configuration.derived else 0,
        "left_out": list(result.left_out),
    }


def _problem_as_json(problem: Problem) -> dict[str, Any]:
    keys = ("file", "line", "column", "severity", "code", "text", "hint")
    return {key: getattr(problem, key) for key in keys}


def _connection_as_json(connection: Connection) -> dict[str, Any]:
    name, driver, end_point, devices, tags = _row(connection)
    return {
        "name": name,
        "driver": driver,
        "end_point": end_point,
        "devices": int(devices),
        "tags": int(tags),
    }
