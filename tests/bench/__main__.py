"""Runs benches by name: `python -m tests.bench modbus`; without a name it lists them. `--json` for machines.

A bench is a module of this folder with a docstring and a function `measure() -> list[Figure]`. Long ones report their
progress on standard error.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from tests.bench.figures import Figure

_NOT_BENCHES = {"__main__", "figures"}


def main() -> int:
    """Measure and print; returns 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("bench", nargs="*", choices=[*_benches(), "all", []], help="which to run, or all")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()
    if not args.bench:
        _list()
        return 0
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )  # only figures are printed
    names = _benches() if "all" in args.bench else args.bench
    measured = {name: _measure(name) for name in names}
    _print_json(measured) if args.json else _print_table(measured)
    return 0 if all(figure.holds is not False for figures in measured.values() for figure in figures) else 1


def _benches() -> list[str]:
    """Modules with a bench, by their own statement: a file that defines `measure`."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [
        file.stem for file in files if file.stem not in _NOT_BENCHES and "\ndef measure(" in file.read_text("utf-8")
    ]


def _list() -> None:
    for name in _benches():
        summary = (import_module(f"tests.bench.{name}").__doc__ or "").strip().splitlines()[0]
        sys.stdout.write(f"{name:<14} {summary}\n")


def _measure(name: str) -> list[Figure]:
    sys.stderr.write(f"measuring {name} ...\n")
    figures: list[Figure] = import_module(f"tests.bench.{name}").measure()
    return figures


def _print_json(measured: dict[str, list[Figure]]) -> None:
    rows = {
        name: [{**figure._asdict(), "holds": figure.holds} for figure in figures] for name, figures in measured.items()
    }
    json.dump(rows, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _print_table(measured: dict[str, list[Figure]]) -> None:
    for name, figures in measured.items():
        sys.stdout.write(f"{name}\n")
        for figure in figures:
            sys.stdout.write(f"  {figure.name:<44} {figure.value:>10.3g} {figure.unit:<8}{_verdict(figure)}\n")


def _verdict(figure: Figure) -> str:
    if figure.bound is None:
        return ""
    sign = ">=" if figure.at_least else "<="
    return f"{sign} {figure.bound:g} {'ok' if figure.holds else 'NOT MET'}"


if __name__ == "__main__":
    sys.exit(main())
