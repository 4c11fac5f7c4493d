"""`edge-gateway reload`: check the files, have the running gateway take them over, and say what came of it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.acceptance import ANSWER_FILE
from gateway.cli.check import problem_lines
from gateway.cli.state_folder import SERVICE_CONFIGURATION, NoStateFolder, add_state_option, state_folder
from gateway.config.load import load
from gateway.state import holder

if TYPE_CHECKING:
    import argparse

_LIMIT_S: Final = 20.0
"""A folder of 200 files is read in about 1 s on a Raspberry Pi; a broker that is exchanged takes up to 5 s more."""

_STEP_S: Final = 0.05


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway`."""
    parser = commands.add_parser(
        "reload",
        help="have the running gateway take over the changed files",
        description="Checks the files first: with a mistake in any of them the gateway is left alone. Devices that did "
        "not change miss no reading.",
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=SERVICE_CONFIGURATION, help="default: %(default)s"
    )
    add_state_option(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Returns 0 where the files were taken over, 1 where no gateway answered, 2 where the files have mistakes."""
    result = load(args.folder)
    sys.stdout.writelines(f"{line}\n" for line in problem_lines(result))
    if result.errors:
        sys.stdout.write("not reloaded: mend these first; the gateway goes on with what it has\n")
        return 2
    try:
        code, said = _ask(state_folder(args.state, args.folder, result.configuration))
    except (NoStateFolder, OSError) as error:
        code, said = 1, f"not reloaded: {error}"
    sys.stdout.write(f"{said}\n")
    return code


def _ask(state: Path) -> tuple[int, str]:
    process = holder(state)
    if process is None:
        return 1, f"not reloaded: no gateway works on {state}; start it, or name its --state FOLDER"
    before = _answer(state)
    try:
        os.kill(process, signal.SIGHUP)
    except PermissionError:
        return 1, f"not reloaded: the gateway, process {process}, belongs to another user; use sudo"
    answer = _next_answer(state, before)
    if answer is None:
        return 1, f"the gateway, process {process}, did not answer within {_LIMIT_S:.0f} s; look at its log"
    if answer["accepted"]:
        return 0, f"reloaded, configuration {answer['digest']}"
    return 2, "\n".join([*answer["problems"], "not reloaded: the gateway found mistakes and goes on with what it has"])


def _answer(state: Path) -> Any:
    try:
        return json.loads((state / ANSWER_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _next_answer(state: Path, before: Any) -> Any:
    deadline_s = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline_s:
        answer = _answer(state)
        if answer != before:
            return answer
        time.sleep(_STEP_S)
    return None
