"""`edge-gateway plan`: which requests read the devices, how long they keep each link busy, what devices refuse."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.check import problem_lines
from gateway.cli.state_folder import SERVICE_CONFIGURATION, NoStateFolder, add_state_option, state_folder
from gateway.collect.learned import Learned, Lessons, forget
from gateway.collect.plan import devices_of
from gateway.config.load import load
from gateway.state import State, StateError, peek

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.config.schema import Configuration, Connection
    from gateway.driver import LinkPlan, PlannedRequest
    from gateway.state import Json

MOST_BUSY: Final = 0.8
"""Share of a link's time above which there is no room for repetitions, commands and slow answers."""

_WIDTHS: Final = (16, 20, 13, 4, 6, 8, 7)
_HEADINGS: Final = ("device", "request", "documented", "tags", "bytes", "time", "period")
_TEXTS: Final = 3
"""Columns that stand at their left edge; the others are numbers."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway`."""
    parser = commands.add_parser(
        "plan",
        help="show which requests read the devices, and how busy they keep each link",
        description="Times are estimates from the speed of the link; a device may answer slower. What a device was "
        "found to refuse is shown too, where the state folder can be read.",
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=SERVICE_CONFIGURATION, help="configuration (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    parser.add_argument(
        "--forget", metavar="DEVICE", help="let go what was learned of a device; with the gateway stopped"
    )
    add_state_option(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Returns 0 where it was done, 1 where nothing could be forgotten, 2 where the files have mistakes."""
    result = load(args.folder)
    if result.configuration is None:
        sys.stderr.writelines(f"{line}\n" for line in problem_lines(result))
        return 2
    if args.forget is not None:
        return _forget(args, result.configuration)
    plans = [_plan(connection, _kept(args, result.configuration)) for connection in result.configuration.connections]
    lines = [json.dumps({"connections": [plan.as_json() for plan in plans]})] if args.json else _report(plans)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _forget(args: argparse.Namespace, configuration: Configuration) -> int:
    try:
        state = State.open(state_folder(args.state, args.folder, configuration))
    except NoStateFolder as error:
        return _said(1, f"not forgotten: {error}")
    except StateError as error:
        return _said(1, f"not forgotten: {error}. Stop the gateway, forget, and start it again")
    forgotten = forget(state, args.forget)
    cause = state.cause
    state.close()
    if not forgotten:
        return _said(1, f"nothing was learned of a device {args.forget!r}" + (f": {cause}" if cause else ""))
    return _said(0, f"forgotten; {args.forget} is asked as if it were new")


def _said(code: int, text: str) -> int:
    (sys.stderr if code else sys.stdout).write(f"{text}\n")
    return code


class _Kept(dict[str, "Json"]):
    """What a state folder holds, to be looked at."""

    def put(self, key: str, value: Json) -> None:
        """Nothing is ever written here."""
        raise TypeError(f"{key} is not to be changed to {value!r}")


def _kept(args: argparse.Namespace, configuration: Configuration) -> _Kept:
    """What was learned, where it can be read; a plan can be made without."""
    try:
        return _Kept(peek(state_folder(args.state, args.folder, configuration)))
    except (NoStateFolder, OSError, StateError):
        return _Kept()


@dataclass(frozen=True)
class _Shown:
    """One connection, with its plan where its driver makes one."""

    connection: Connection
    plan: LinkPlan | None
    lessons: Mapping[str, Lessons]

    @property
    def busy(self) -> float:
        """The share of the link's time that all requests take."""
        return self.plan.busy if self.plan else 0.0

    @property
    def slowest(self) -> tuple[str, float] | None:
        """The tag whose value can be the oldest, and how old, s: its period, longer where the link has no time."""
        if not self.plan or not self.plan.requests:
            return None
        request = max(self.plan.requests, key=self._age_s)
        return f"{request.device}.{request.tags[0]}", self._age_s(request)

    def _age_s(self, request: PlannedRequest) -> float:
        return request.period_s * max(1.0, self.busy) + request.busy_s

    def as_json(self) -> dict[str, Any]:
        """For programs; times in seconds, `busy` as a share."""
        slowest = self.slowest
        return {
            "name": self.connection.name,
            "driver": self.connection.spec.name,
            "requests": None if self.plan is None else [request._asdict() for request in self.plan.requests],
            "at_once": self.plan.at_once if self.plan else None,
            "busy": round(self.busy, 4) if self.plan else None,
            "slowest": {"tag": slowest[0], "age_s": round(slowest[1], 3)} if slowest else None,
            "refused": {
                device: {str(span): reason for span, reason in lessons.refused.items()}
                for device, lessons in self.lessons.items()
                if lessons.refused
            },
            "cuts": {device: sorted(map(str, one.cuts)) for device, one in self.lessons.items() if one.cuts},
        }


def _plan(connection: Connection, kept: _Kept) -> _Shown:
    devices = devices_of(connection.config)
    learned = Learned(kept, connection.config.reached_by())
    lessons = {device.name: learned.of(device) for device in devices}
    try:
        plan = connection.spec.planned(connection.config, devices, {name: one.cuts for name, one in lessons.items()})
    except LookupError:
        plan = None
    return _Shown(connection, plan, lessons)


def _report(plans: Sequence[_Shown]) -> Iterator[str]:
    for number, shown in enumerate(plans):
        yield from [""] if number else []
        name = shown.connection.name
        if shown.plan is None:
            yield f"{name}: driver {shown.connection.spec.name} listens or reads tag by tag; it has no read plan"
            continue
        yield f"{name}: {len(shown.plan.requests)} requests, {shown.busy:.1%} of the link's time"
        yield _line(_HEADINGS)
        yield from (_line(_row(request)) for request in shown.plan.requests)
        yield from _remarks(shown)


def _remarks(shown: _Shown) -> Iterator[str]:
    if shown.slowest is not None:
        yield f"slowest: {shown.slowest[0]}, up to {_duration(shown.slowest[1])} old"
    for device, lessons in shown.lessons.items():
        for span in sorted(lessons.refused):
            yield f"refused: {device} {span}, which is read alone and seldom"
    if shown.busy > MOST_BUSY:
        yield (
            f"warning: {shown.busy:.0%} of the link's time is taken, and above {MOST_BUSY:.0%} there is little room for"
        )
        yield "  repetitions: read less often, read less, or raise the speed of the link"


def _row(request: PlannedRequest) -> tuple[str, ...]:
    return (
        request.device,
        request.asks,
        request.documented,
        str(len(request.tags)),
        str(request.frame_bytes),
        _duration(request.busy_s),
        f"{request.period_s:g} s",
    )


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _line(cells: Sequence[str]) -> str:
    fitted = [
        _cut(cell, width).ljust(width) if at < _TEXTS else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ]
    return " ".join(fitted)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
